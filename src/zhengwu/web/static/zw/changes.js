// Drafting items (起草事项): unsaved input is not left by mistake, rows are added, many are ticked at once.
for (const form of document.querySelectorAll("form[data-guard]")) {
  let dirty = form.dataset.guard === "dirty";
  const typed = () => { dirty = true; };
  form.addEventListener("input", typed);
  form.addEventListener("change", typed);
  form.addEventListener("submit", () => { dirty = false; });
  window.addEventListener("beforeunload", (event) => {
    if (!dirty) return;
    event.preventDefault();
    event.returnValue = ""; // older browsers ask only so
  });
}

// A new row is the last blank one again, with the next key.
for (const box of document.querySelectorAll("[data-rows]")) {
  const button = box.querySelector("[data-add]");
  const rows = () => box.querySelectorAll(".ch-row");
  const blanks = box.querySelectorAll("[data-fresh]");
  if (!button || !blanks.length) continue;
  const pattern = blanks[blanks.length - 1].cloneNode(true);
  for (const field of pattern.querySelectorAll("input, textarea")) { field.value = ""; field.removeAttribute("value"); }
  for (const field of pattern.querySelectorAll("textarea")) field.textContent = "";
  // One blank row is enough where more come at a press.
  for (const spare of [...blanks].slice(1).filter((one) => [...one.querySelectorAll("input, textarea")].every((f) => !f.value))) spare.remove();
  let next = Math.max(...[...blanks].map((one) => Number(one.dataset.fresh.slice(1)))) + 1;
  for (const said of box.querySelectorAll("[data-plain]")) said.hidden = true;
  const tell = () => { button.hidden = rows().length >= Number(box.dataset.most); };
  button.addEventListener("click", () => {
    const row = pattern.cloneNode(true);
    const key = `+${next}`;
    const old = row.dataset.fresh;
    row.dataset.fresh = key;
    for (const field of row.querySelectorAll("[name]")) field.name = field.name.replace(`-${old}-`, `-${key}-`);
    for (const field of row.querySelectorAll("[id]")) {
      const id = `${field.id}-n${next}`;
      const label = row.querySelector(`label[for="${field.id}"]`);
      if (label) label.htmlFor = id;
      field.id = id;
    }
    next += 1;
    button.closest("p").before(row);
    row.querySelectorAll("input")[1]?.focus();
    tell();
  });
  tell();
}

const every = document.querySelector("[data-every]");
const ticks = [...document.querySelectorAll('input[name="change"][type="checkbox"]')];
if (every && ticks.length) {
  every.hidden = false;
  document.querySelector("[data-every-said]").hidden = false;
  const said = document.querySelector("[data-ticked]");
  const tell = () => {
    const count = ticks.filter((one) => one.checked).length;
    every.checked = count === ticks.length;
    every.indeterminate = count > 0 && count < ticks.length;
    said.textContent = count ? `已勾选 ${count} 项` : "";
  };
  every.addEventListener("change", () => { for (const one of ticks) one.checked = every.checked; tell(); });
  for (const one of ticks) one.addEventListener("change", tell);
  tell();
}
