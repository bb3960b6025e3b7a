// A secret that is shown once (只显示一次): a button to copy it; gone from the page when one leaves it.
const secret = document.querySelector("#secret");
const button = document.querySelector('[data-copy="secret"]');
const said = document.querySelector("[data-copied]");
const select = () => {
  const range = document.createRange();
  range.selectNodeContents(secret);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
};
button.hidden = false;
button.addEventListener("click", async () => {
  select();
  try {
    await navigator.clipboard.writeText(secret.textContent);
    said.textContent = "已复制。请粘贴到安全的地方。";
  } catch {
    said.textContent = "已选中，请按 Ctrl+C 复制。";
  }
});
secret.addEventListener("focus", select);
// The browser may keep the page whole for its Back button.
window.addEventListener("pagehide", () => {
  secret.textContent = "已不再显示";
  button.remove();
  said.textContent = "";
});
