// The one dialog. The browser keeps the focus inside and gives it back afterwards.

import { byId, fill } from "../dom.js";

let whenClosed = null;

/** Show `children`; `onClose` runs once however the dialog is left. Calling it again refills. */
export function openDialog(...children) {
  const dialog = byId("dialog");
  fill(dialog, ...children);
  if (!dialog.open) {
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

byId("dialog").addEventListener("close", () => {
  const run = whenClosed;
  whenClosed = null;
  byId("dialog").replaceChildren();
  run?.();
});
