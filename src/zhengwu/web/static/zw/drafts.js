// Drafts (自动保存): a form with data-draft is kept 1.5 s after the last input and when the page goes.
const WAIT = 1500, AGAIN = 5000, MOST = 60000; // milliseconds; bytes a request may outlive its page with
const OFFLINE = "没有保存，网络不通";

const follow = (form) => {
  const said = form.querySelector("[data-draft-said]")
    || document.querySelector(`[data-draft-said="${form.dataset.draft}"]`);
  let timer = 0, dirty = false, sent = false, flying = null;
  const say = (text, bad) => {
    if (!said || said.textContent === text) return;
    said.textContent = text;
    said.classList.toggle("err", Boolean(bad));
  };
  const packed = () => {
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string") body.append(name, value);
    }
    for (const field of form.querySelectorAll("input[type=password], [data-draft-not]")) body.delete(field.name);
    body.set("draft-title", form.dataset.draftTitle || "");
    return body;
  };
  const later = (wait) => { clearTimeout(timer); timer = setTimeout(save, wait); };
  const save = async () => {
    clearTimeout(timer);
    if (!dirty || sent || flying) return;
    dirty = false;
    flying = new AbortController();
    let wait = WAIT;
    try {
      const answer = await fetch(form.dataset.draftTo, {
        method: "POST", body: packed(), redirect: "manual", credentials: "same-origin", signal: flying.signal,
      });
      if (answer.status === 204) {
        const time = answer.headers.get("Draft-Saved");
        say(time ? `已自动保存 ${time}` : "");
      } else if (answer.type === "opaqueredirect" || answer.status === 403) {
        dirty = true;
        wait = AGAIN;
        say("没有保存，登录已经过期：请在新窗口登录，再回到这里", true);
      } else if (answer.status === 422) {
        say(await answer.text(), true);
      } else throw new Error(String(answer.status));
    } catch (error) {
      dirty = true;
      wait = AGAIN;
      if (!sent) say(OFFLINE, true);
    } finally {
      flying = null;
    }
    if (dirty && !sent) later(wait); // typed meanwhile, or not kept
  };
  // The page may be gone before an answer comes: hand the request to the browser.
  const leave = () => {
    if (!dirty || sent) return;
    const body = packed();
    const small = new TextEncoder().encode(body.toString()).length < MOST;
    if (small && navigator.sendBeacon && navigator.sendBeacon(form.dataset.draftTo, body)) dirty = false;
    else save();
  };
  const typed = () => { dirty = true; later(WAIT); };
  form.addEventListener("input", typed);
  form.addEventListener("change", typed);
  // What is submitted, parked or thrown away is not kept once more.
  const stop = () => { sent = true; clearTimeout(timer); if (flying) flying.abort(); };
  document.addEventListener("submit", (event) => {
    const one = event.target;
    if (event.defaultPrevented || one.hasAttribute("hx-post")) return;
    if (one === form || one.dataset.draftDiscard === form.dataset.draft) stop();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); });
  window.addEventListener("pagehide", leave);
  window.addEventListener("online", () => { if (dirty) save(); });
  window.addEventListener("pageshow", () => { sent = false; if (dirty) later(WAIT); });
};

for (const form of document.querySelectorAll("form[data-draft]")) follow(form);
document.addEventListener("zw:draft", (event) => follow(event.target)); // one that came later
