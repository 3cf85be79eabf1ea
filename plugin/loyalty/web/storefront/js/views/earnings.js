// What an order brings.

import { h } from "../dom.js";
import { count, day, dayAndTime, lastDay } from "../format.js";
import { get } from "../store.js";

/** Points an order brings, and from when to when they can be spent. */
export function earnings(quote) {
  const types = get("program")?.pointTypes ?? [];
  return h(
    "ul",
    { class: "earnings" },
    quote.earnings.map((one) => {
      const type = types.find((known) => known.code === one.pointType);
      const spendable = type?.spendable ?? true;
      const when = one.availableAt && new Date(one.availableAt) > new Date() ? `, to spend from ${day(one.availableAt)}` : "";
      const until = one.expiresAt ? ` until ${lastDay(one.expiresAt)}` : "";
      return h("li", { title: one.availableAt ? dayAndTime(one.availableAt) : null }, h("b", {}, `+${count(one.points)}`), ` ${type?.name ?? one.pointType}`, spendable ? `${when}${until}` : ` towards your tier${until}`);
    }),
  );
}
