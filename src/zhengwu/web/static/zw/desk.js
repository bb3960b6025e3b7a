// Keys at the desk (工作台快捷键): F2 look up, F4 all received, F8 supplement, F9 the main action, arrows in a list.
const press = (key) => {
  const button = document.querySelector(`[data-key="${key}"]:not([disabled])`);
  if (!button) return false;
  button.click();
  return true;
};
// Alt+N, Alt+S by the key's place, so that a Chinese input method does not swallow them.
const jump = (event) => {
  const letter = /^Key([A-Z])$/.exec(event.code);
  const target = letter && document.querySelector(`[accesskey="${letter[1].toLowerCase()}"]`);
  if (!target) return;
  event.preventDefault();
  if (target.matches("input, select, textarea")) target.focus();
  else target.click();
};
document.addEventListener("keydown", (event) => {
  if (event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey) jump(event);
  if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
  if (/^F(2|4|8|9)$/.test(event.key) && press(event.key)) event.preventDefault();
  const row = event.target.closest ? event.target.closest("tr[data-row]") : null;
  if (row && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const next = event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
    const link = next && next.querySelector("a");
    if (link) { link.focus(); event.preventDefault(); }
  }
});

document.addEventListener("click", (event) => {
  const all = event.target.closest("[data-all]");
  if (!all) return;
  for (const radio of document.querySelectorAll(`input[type=radio][value="${all.dataset.all}"]`)) {
    if (radio.closest("[data-materials]")) radio.checked = true;
  }
});
const showAll = () => { for (const b of document.querySelectorAll("[data-all]")) b.hidden = false; };
showAll();
document.addEventListener("htmx:afterSwap", showAll);

const first = document.querySelector("table.inbox tr[data-row] a");
if (first && !document.querySelector("[data-focus]")) first.focus({ preventScroll: true });

// Picking in a list (全选本页) and how many are picked.
const picks = [...document.querySelectorAll('input[name="case"][form="batch"]')];
const every = document.querySelector("[data-pick-all]");
if (every && picks.length) {
  every.hidden = false;
  const tell = () => {
    const count = picks.filter((one) => one.checked).length;
    every.checked = count === picks.length;
    every.indeterminate = count > 0 && count < picks.length;
    for (const said of document.querySelectorAll("[data-picked]")) said.textContent = count ? ` ${count} 件` : "";
  };
  every.addEventListener("change", () => { for (const one of picks) one.checked = every.checked; tell(); });
  for (const one of picks) one.addEventListener("change", tell);
  tell();
}

// A folded act (办理): its link becomes the form in place; where that fails, the link leads to the page with it.
const FIELD = 'input:not([type="hidden"]), select, textarea, button';
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-unfold]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.getAttribute("aria-busy")) return;
  link.setAttribute("aria-busy", "true");
  let drawn = null;
  try {
    const answer = await fetch(link.dataset.unfold, {
      headers: { "X-Fragment": "act" }, credentials: "same-origin", redirect: "error",
    });
    if (answer.ok) drawn = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("details.act");
  } catch { drawn = null; }
  if (!drawn) { window.location.assign(link.href); return; }
  const draft = drawn.querySelector("form[data-draft]");
  link.replaceWith(drawn);
  if (draft) draft.dispatchEvent(new CustomEvent("zw:draft", { bubbles: true }));
  (drawn.querySelector(`form.actform :is(${FIELD})`) || drawn.querySelector("summary")).focus();
});
