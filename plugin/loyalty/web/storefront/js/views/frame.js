// What stands around every page: who shops, the connection, the cart's count, the current page.

import { byId, fill, h } from "../dom.js";
import { GUEST } from "../session.js";
import { get, watch } from "../store.js";
import { shownName } from "../words.js";

const CONNECTIONS = {
  starting: "Connecting…",
  live: "Live",
  polling: "Updates every 20 s",
  offline: "Offline",
  guest: "Not signed in",
};

export function showFrame({ onMember }) {
  const select = byId("member");
  select.addEventListener("change", () => onMember(select.value));
  watch(["session"], () => {
    const session = get("session");
    if (!session) return;
    fill(
      select,
      [...session.members, { externalId: GUEST, label: "Guest" }].map((member) => h("option", { value: member.externalId }, member.label)),
    );
    select.value = session.member?.externalId ?? GUEST;
    select.disabled = false;
  });
  // The labels are as old as the demo's start; the member who shops is known better.
  watch(["member", "session"], () => {
    const member = get("member");
    const option = member && [...select.options].find((one) => one.value === member.externalId);
    if (option) option.textContent = `${shownName(member)} (${member.tier.current?.name ?? "no tier"})`;
  });
  watch(["connection"], () => {
    const chip = byId("connection");
    chip.dataset.state = get("connection");
    chip.textContent = CONNECTIONS[get("connection")];
  });
  watch(["cart"], () => {
    const pieces = (get("cart")?.lines ?? []).reduce((sum, line) => sum + line.quantity, 0);
    const badge = byId("cart-count");
    badge.hidden = pieces === 0;
    fill(badge, String(pieces), h("span", { class: "visually-hidden" }, pieces === 1 ? " piece" : " pieces"));
  });
  watch(["route"], () => {
    const { page } = get("route");
    for (const link of document.querySelectorAll(".tabs a")) {
      const here = link.dataset.page === page || (page === "product" && link.dataset.page === "shop");
      if (here) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  });
}
