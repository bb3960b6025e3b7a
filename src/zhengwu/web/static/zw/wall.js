// The wall and the digest (大屏与简报): asks every few seconds whether there is something new; what is
// shown stays while there is not. Without this script the page comes again by itself.
const board = document.querySelector("#board");
const clock = document.querySelector("[data-clock]");
const lost = document.querySelector("[data-lost]");
const every = Number(board.dataset.every) * 1000;
const ahead = new Date(clock.dateTime) - Date.now();
let tag = board.dataset.etag;
let seen = Date.now();

const parts = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", year: "numeric", month: "numeric", day: "numeric", weekday: "long",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const said = (at) => Object.fromEntries(parts.formatToParts(at).map((one) => [one.type, one.value]));
const time = (at) => { const p = said(at); return `${p.hour}:${p.minute}:${p.second}`; };

function tick() {
  const at = new Date(Date.now() + ahead);
  const p = said(at);
  clock.textContent = `${p.year} 年 ${p.month} 月 ${p.day} 日 ${p.weekday} ${time(at)}`;
  const stale = Date.now() - seen > 3 * every + 10000;
  lost.textContent = stale ? ` 连接中断，数据停在 ${time(new Date(seen + ahead))}` : "";
}

// Whoever stands on a number with the keyboard stays on it.
function show(html) {
  const at = board.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  board.innerHTML = html;
  if (at) [...board.querySelectorAll("a")].find((one) => one.getAttribute("href") === at)?.focus();
}

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(board.dataset.from, {
      headers: { "If-None-Match": tag }, cache: "no-store", redirect: "manual",
    });
    // Signed out or no longer allowed: the page says so itself.
    if (answer.type === "opaqueredirect" || answer.status === 403) { location.reload(); return; }
    if (answer.status === 304) { seen = Date.now(); return; }
    if (!answer.ok) return;
    tag = answer.headers.get("ETag") ?? "";
    show(await answer.text());
    seen = Date.now();
  } catch { /* not reached: tick says since when */ }
}

tick();
setInterval(tick, 1000);
setInterval(look, every);
document.addEventListener("visibilitychange", look);
