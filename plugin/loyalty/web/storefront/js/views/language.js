// In which language the engine gives its reasons. The rest of the page is in English.

import { h } from "../dom.js";
import { get, set, watch } from "../store.js";
import { LANGUAGES } from "../words.js";

const KEPT = "journey.locale";

export function languageControl() {
  const select = h(
    "select",
    { id: "locale", onchange: () => choose(select.value) },
    h("option", { value: "" }, "As my browser says"),
    Object.entries(LANGUAGES).map(([tag, name]) => h("option", { value: tag, lang: tag }, name)),
  );
  const kept = sessionStorage.getItem(KEPT);
  if (kept in LANGUAGES) set({ locale: kept });
  watch(["locale"], () => {
    select.value = get("locale") ?? "";
  });
  return h("p", { class: "objective" }, h("label", { for: "locale" }, "Reasons in"), select, h("span", { class: "muted small" }, "The rest of this page is in English."));
}

function choose(tag) {
  sessionStorage.setItem(KEPT, tag);
  set({ locale: tag || null });
}
