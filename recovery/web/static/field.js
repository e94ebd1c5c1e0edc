// Without this file every form works by itself. With it, a form that is lost on its way is kept on this device and sent
// again, by its own key: whatever had arrived is not done twice.
"use strict";
(() => {
  const PLACE = "fleet-recovery-kept";
  const LONGEST = 12 * 3600 * 1000;
  const PAUSE = 10000;
  const person = document.body.dataset.person;
  const csrf = document.body.dataset.csrf;
  const band = document.getElementById("kept");

  const kept = () => {
    try {
      const found = JSON.parse(localStorage.getItem(PLACE) || "[]");
      return Array.isArray(found) ? found.filter((it) => Date.now() - it.at < LONGEST) : [];
    } catch {
      return [];
    }
  };
  const keep = (all) => {
    try {
      localStorage.setItem(PLACE, JSON.stringify(all));
    } catch { /* Storage is full or forbidden: the form goes its way all the same. */ }
  };
  const forget = (once) => keep(kept().filter((it) => it.once !== once));
  const mine = () => kept().filter((it) => it.person === person);

  const tell = () => {
    const count = mine().length;
    band.hidden = count === 0 || !person;
    band.textContent = count === 1
      ? "One form has not arrived yet. It is kept here, and sent as soon as there is a connection."
      : `${count} forms have not arrived yet. They are kept here, and sent as soon as there is a connection.`;
  };

  const isFinal = (status) => status < 500 && ![401, 403, 408, 429].includes(status);

  const send = async (it) => {
    const body = new URLSearchParams(it.fields);
    body.set("csrf", csrf);
    const answer = await fetch(it.action, { method: "POST", body, credentials: "same-origin", headers: { "x-field": "1" } });
    if (isFinal(answer.status)) {
      forget(it.once);
    }
    return answer;
  };

  const show = async (answer) => {
    const target = answer.headers.get("x-field");
    if (target) {
      location.assign(target);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = page.querySelector("main");
    if (main) {
      document.querySelector("main").replaceWith(main);
      scrollTo(0, 0);
    }
  };

  let busy = false;
  const again = async () => {
    if (busy || !person) {
      return;
    }
    busy = true;
    let arrived = 0;
    try {
      for (const it of mine()) {
        const answer = await send(it);
        arrived += isFinal(answer.status) ? 1 : 0;
      }
    } catch { /* Still no connection. */ }
    busy = false;
    tell();
    if (arrived) {
      location.reload();
    }
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!("keep" in form.dataset) || !person || busy) {
      return;
    }
    event.preventDefault();
    busy = true;
    const action = (event.submitter && event.submitter.getAttribute("formaction")) || form.getAttribute("action");
    const fields = Object.fromEntries(new FormData(form));
    const it = { action, once: fields.once, person, at: Date.now(), fields: { ...fields, csrf: "" } };
    keep([...kept(), it]);
    const buttons = [...form.querySelectorAll("button")];
    buttons.forEach((button) => { button.disabled = true; });
    try {
      await show(await send(it));
    } catch {
      tell();
      scrollTo(0, 0);
    }
    busy = false;
  });

  const answered = document.querySelector("main").dataset.form;
  if (answered) {
    forget(answered);
  }
  tell();
  again();
  addEventListener("online", again);
  setInterval(again, PAUSE);
})();
