// The one dialog. The browser keeps the focus inside and gives it back afterwards.

import { byId, fill } from "../dom.js";

let whenClosed = null;
let opener = null;

/** Show `children`; `onClose` runs once however the dialog is left. Calling it again refills. */
export function openDialog(...children) {
  const dialog = byId("dialog");
  fill(dialog, ...children);
  if (!dialog.open) {
    opener = document.activeElement?.dataset.focus ?? null;
    dialog.showModal();
    (dialog.querySelector("[autofocus]") ?? dialog.querySelector("button"))?.focus();
  } else if (!dialog.contains(document.activeElement)) {
    (dialog.querySelector("[autofocus]:not(:disabled)") ?? dialog.querySelector("button:not(:disabled)"))?.focus();
  }
}

export function onDialogClose(run) {
  whenClosed = run;
}

export function closeDialog() {
  byId("dialog").close();
}

/** The opener may have been drawn anew, or be gone: an order paid, a refund booked. */
function giveFocusBack() {
  if (document.activeElement !== document.body) return;
  const again = [...document.querySelectorAll("[data-focus]")].find((one) => one.dataset.focus === opener && !one.disabled && one.checkVisibility());
  (again ?? byId("main")).focus({ preventScroll: true });
}

byId("dialog").addEventListener("close", () => {
  const run = whenClosed;
  whenClosed = null;
  byId("dialog").replaceChildren();
  run?.();
  giveFocusBack();
});
