// The review page (审查): pages turn without the form being lost; the list counts itself.
const form = document.getElementById("judge");

// Without htmx, or when it fails, the links and the page number work as they are.
const turn = (address) => {
  if (!window.htmx) return false;
  const url = new URL(address, location.href);
  window.htmx.ajax("GET", url.pathname + url.search, { target: "#viewer", select: "#viewer", swap: "outerHTML" });
  history.replaceState(history.state, "", url.pathname + url.search);
  return true;
};
document.addEventListener("click", (event) => {
  const link = event.target.closest && event.target.closest("a[data-view]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (turn(link.href)) event.preventDefault();
});
document.addEventListener("submit", (event) => {
  const asked = event.target;
  if (!asked.matches("form[data-view]")) return;
  const query = new URLSearchParams(new FormData(asked));
  if (turn(`${location.pathname}?${query}`)) event.preventDefault();
});
document.addEventListener("htmx:afterSwap", () => {
  const seen = document.querySelector("#viewer .vpage");
  if (seen) seen.focus({ preventScroll: true });
});
// In the page itself: PageDown at its end is the next page, PageUp at its beginning the one before.
document.addEventListener("keydown", (event) => {
  const box = event.target.closest && event.target.closest(".vpage");
  if (!box || (event.key !== "PageDown" && event.key !== "PageUp")) return;
  const down = event.key === "PageDown";
  const edge = down ? box.scrollTop + box.clientHeight >= box.scrollHeight - 2 : box.scrollTop <= 0;
  const link = edge && document.querySelector(`#viewer [data-view="${down ? "next" : "prev"}"]`);
  if (link) { event.preventDefault(); link.click(); }
});

const count = () => {
  const said = form.querySelector("[data-count]");
  const all = form.querySelectorAll(".chk [role=radiogroup]").length;
  if (!said || !all) return;
  const good = form.querySelectorAll(".chk input[value=yes]:checked").length;
  const bad = form.querySelectorAll(".chk input[value=no]:checked").length;
  said.hidden = false;
  said.textContent = bad ? `符合 ${good}，不符合 ${bad}，共 ${all}` : `${good} / ${all}`;
  said.className = `tag ${bad ? "tag-r" : good === all ? "tag-g" : "tag-n"}`;
};
if (form) {
  form.addEventListener("change", count);
  // The button of the list sets the radios without a change of their own.
  form.addEventListener("click", (event) => {
    if (event.target.closest("[data-all]")) {
      setTimeout(() => form.dispatchEvent(new Event("change", { bubbles: true })), 0);
    }
  });
  count();
  // One small form is open at a time, and Escape closes it.
  const panels = [...form.querySelectorAll("details.more")];
  // F9 does what is open in front of one.
  const first = form.querySelector('.decide [data-key="F9"]');
  const aim = () => {
    const open = panels.find((one) => one.open);
    for (const one of panels) delete one.querySelector("button").dataset.key;
    if (open) open.querySelector("button").dataset.key = "F9";
    if (first) { if (open) delete first.dataset.key; else first.dataset.key = "F9"; }
  };
  aim();
  for (const one of panels) {
    one.addEventListener("toggle", () => {
      if (one.open) for (const other of panels) if (other !== one) other.open = false;
      aim();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const one of panels) {
      if (one.open) { one.open = false; one.querySelector("summary").focus(); }
    }
  });
  const opinion = form.querySelector("[data-opinion]");
  if (opinion && !document.querySelector("[data-focus]") && matchMedia("(min-width: 992px)").matches) {
    opinion.focus({ preventScroll: true });
  }
}
