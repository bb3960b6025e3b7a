// Registering (登记办件): Enter looks up, what is known is filled in, nothing typed is lost.
const form = document.getElementById("register");
const field = (name) => form.querySelector(`[name="${name}"]:not([type=radio])`);
const number = field("identifier"), item = field("item");
const filled = new Map([...form.querySelectorAll("#known")].flatMap((k) => Object.entries(JSON.parse(k.dataset.fill))));
let asked = number.value.trim(), picked = item.value.trim();

const look = (again) => {
  const typed = number.value.trim();
  if (typed === asked && !again) return false;
  asked = typed;
  number.dispatchEvent(new CustomEvent("look"));
  return true;
};
const write = (name, value) => {
  const one = field(name);
  if (one && one.value !== value) one.value = value;
};
// Only what is empty, or what we filled in ourselves and nobody changed.
const fill = (values) => {
  for (const name of ["name", "phone", "contact_name", "contact_phone", "shown"]) {
    const one = field(name), value = values[name] || "", before = filled.get(name) || "";
    if (one.value !== "" && one.value !== before) continue;
    if (one.value !== value) one.value = value;
    filled.set(name, value);
  }
  form.dispatchEvent(new Event("input", { bubbles: true }));
};
// Only where it changed: a second answer would put the ticks of before over those of now.
const pick = () => {
  if (item.value.trim() === picked) return;
  picked = item.value.trim();
  item.dispatchEvent(new CustomEvent("pick"));
};
number.addEventListener("change", () => look(false));
item.addEventListener("change", pick);
for (const one of [number, item]) {
  one.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    if (one === number) look(false) || (field("name").value ? item : field("name")).focus();
    else pick();
  });
}
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-look]")) {
    // F2: to the number; what stands there is looked up.
    event.preventDefault();
    number.focus();
    number.select();
    if (number.value.trim()) look(true);
  }
  const take = event.target.closest("[data-take]");
  if (take) {
    event.preventDefault();
    const values = JSON.parse(take.dataset.take);
    for (const [name, value] of Object.entries(values)) write(name, value);
    const part = field(Object.keys(values)[0]).closest("details");
    if (part) part.open = true;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  }
});
document.addEventListener("htmx:afterSwap", () => {
  const known = document.getElementById("known");
  if (known && !known.dataset.done && known.dataset.number === number.value.trim()) {
    known.dataset.done = "1";
    fill(JSON.parse(known.dataset.fill));
    const at = document.activeElement;
    if (known.querySelector("b") && (at === number || at === field("name"))) item.focus();
    else if (at === number) field("name").focus();
  }
  const found = document.getElementById("picked");
  if (found && found.dataset.name && !found.dataset.done) {
    found.dataset.done = "1";
    if (document.activeElement === item || item.value.trim() === picked) item.value = found.dataset.name;
    picked = item.value.trim();
  }
});
// What is not in order, or not asked for, wants a reason: its place opens.
document.addEventListener("change", (event) => {
  const radio = event.target;
  if (radio.type !== "radio" || !radio.closest("[data-materials]")) return;
  const part = radio.closest("tr").querySelector("details");
  if (!part || !/^(faulty|held)$/.test(radio.value)) return;
  part.open = true;
  part.querySelector("[data-why]").placeholder = radio.value === "faulty" ? "例如：第 3 页没有盖章，请补盖公章" : "例如：电子证照库已有营业执照";
});
