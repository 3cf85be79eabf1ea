// The member card: who, how many points, which tier, and what comes next.

import { byId, fill, h } from "../dom.js";
import { count, day, lastDay, money, points } from "../format.js";
import { icon } from "../icons.js";
import { qrAddress } from "../session.js";
import { get, isGuest, watch } from "../store.js";
import { closeDialog, openDialog } from "./dialog.js";
import { rewardText, shownName } from "../words.js";

export function showCard({ onRetry }) {
  watch(["member", "session", "program", "memberFailed"], () => {
    const { member, program, failed } = { member: get("member"), program: get("program"), failed: get("memberFailed") };
    const place = byId("card");
    fill(byId("rewards"), !failed && member && program && rewards(member, program));
    if (failed) fill(place, failure(failed, onRetry));
    else if (isGuest()) fill(place, welcome());
    else if (!member || !program) fill(place, h("div", { class: "card skeleton", "aria-busy": "true" }, h("p", {}, "Fetching your card…")));
    else fill(place, h("div", { class: "card-row" }, plastic(member), tier(member, program)));
  });
}

function failure(failed, onRetry) {
  return h("div", { class: "panel failure" }, h("p", {}, failed.message), h("button", { onclick: onRetry }, "Try again"));
}

function welcome() {
  return h(
    "div",
    { class: "panel" },
    h("h1", {}, "Welcome"),
    h("p", {}, "Nobody is signed in. Look around: what you open shapes what is picked below, for this visit only. Choose a household above to see its card, and to buy."),
  );
}

function plastic(member) {
  const { balance } = member;
  const facts = [
    balance.pending > 0 && fact("Pending", count(balance.pending), balance.nextPendingAt && `next on ${day(balance.nextPendingAt)}`, "pending"),
    balance.held > 0 && fact("Held", count(balance.held), "for a checkout under way", "held"),
    balance.deficit > 0 && fact("Owed", count(balance.deficit), "from refunds; earned points fill it", "deficit"),
    ...balance.expiringSoon.slice(0, 2).map((lot) => fact("Expiring", count(lot.points), `last day ${lastDay(lot.at)}`, "expiring")),
  ];
  return h(
    "article",
    { class: "card", "data-tier": member.tier.current?.code ?? "", "aria-label": "Member card" },
    h(
      "div",
      { class: "card-head" },
      h("div", {}, h("p", { class: "card-tier" }, member.tier.current?.name ?? "Member"), h("h1", {}, shownName(member), !member.name && h("span", { class: "visually-hidden" }, " (no name is in the data)"))),
      h(
        "button",
        { class: "qr", "data-focus": "qr", onclick: () => showQr(member), "aria-label": "Show my code large" },
        h("img", { src: qrAddress(member.externalId), alt: `QR code of member ${member.externalId}`, width: 84, height: 84 }),
      ),
    ),
    h(
      "p",
      { class: "available" },
      h("b", { "data-test": "available" }, count(balance.available)),
      " ",
      h("span", {}, `${balance.name} to spend`),
      balance.value && h("span", { class: "worth" }, `worth ${money(balance.value)}`),
    ),
    h("dl", { class: "facts" }, facts),
    member.state !== "ACTIVE" && h("p", { class: "card-state" }, `This membership is ${member.state.toLowerCase()}: points cannot move.`),
    h("p", { class: "card-foot" }, `No. ${member.externalId}`, member.joinedAt && ` · since ${day(member.joinedAt)}`),
  );
}

function fact(name, value, detail, test) {
  return h("div", {}, h("dt", {}, name), h("dd", { "data-test": test }, value), detail && h("dd", { class: "detail" }, detail));
}

function showQr(member) {
  openDialog(
    h("h2", { id: "dialog-title" }, "Your code"),
    h("img", { class: "qr-large", src: qrAddress(member.externalId), alt: `QR code of member ${member.externalId}`, width: 260, height: 260 }),
    h("p", { class: "muted" }, "Show it at the till to be recognised."),
    h("div", { class: "actions" }, h("button", { onclick: closeDialog, autofocus: true }, "Close")),
  );
}

/** Tiers as stops on a journey; how far along the present leg, in whole percent. */
function tier(member, program) {
  const { tier: status } = member;
  const { next } = status;
  return h(
    "section",
    { class: "panel tier", "aria-labelledby": "tier-title" },
    h("h2", { id: "tier-title" }, status.current?.name ?? "No tier yet"),
    h("p", { class: "missing" }, next ? missing(next) : "You have reached the highest tier."),
    journey(status, program),
    status.state === "IN_GRACE" && status.until && h("p", { class: "grace" }, icon("clock"), `Kept until ${lastDay(status.until)} while you catch up.`),
    status.benefits.length > 0 && h("h3", {}, "Your benefits"),
    h("ul", { class: "ticks" }, status.benefits.map((benefit) => h("li", {}, icon("check"), benefit.name))),
  );
}

function missing(next) {
  return [
    h("b", {}, points(next.pointsMissing)),
    ` to ${next.tier.name}`,
    next.by && h("span", { class: "muted" }, `. Points you have now count until ${lastDay(next.by)}.`),
  ];
}

function journey(status, program) {
  const stops = program.tiers;
  const here = Math.max(stops.findIndex((stop) => stop.code === status.current?.code), 0);
  const last = stops.length - 1;
  const to = stops[here + 1];
  const from = stops[here].threshold;
  const leg = to ? Math.min(Math.max((status.qualifying - from) / (to.threshold - from), 0), 1) : 0;
  const percent = last > 0 ? Math.floor(((here + leg) / last) * 100) : 100;
  const now = to ? Math.min(status.qualifying, to.threshold) : status.qualifying;
  return h(
    "div",
    { class: "journey" },
    h(
      "div",
      {
        class: "track",
        role: "progressbar",
        "aria-label": to ? `Way to ${to.name}` : "Highest tier reached",
        "aria-valuemin": 0,
        "aria-valuemax": to ? to.threshold : status.qualifying,
        "aria-valuenow": now,
        "aria-valuetext": to ? `${count(status.qualifying)} of ${points(to.threshold)}` : points(status.qualifying),
      },
      h("span", { class: "fill", style: { "inline-size": `${percent}%` } }),
    ),
    h(
      "ol",
      { class: "stops" },
      stops.map((stop, at) =>
        h(
          "li",
          { class: at <= here ? "reached" : "", "aria-current": at === here ? "step" : null },
          h("b", {}, stop.name),
          h("span", {}, count(stop.threshold)),
        ),
      ),
    ),
    h("p", { class: "muted counted" }, `${points(status.qualifying)} count towards your tier.`),
  );
}

function rewards(member, program) {
  if (program.rewards.length === 0) return null;
  return h(
    "section",
    { class: "panel", "aria-labelledby": "rewards-title" },
    h("h2", { id: "rewards-title" }, "What points and tiers bring"),
    h(
      "ul",
      { class: "rewards" },
      program.rewards.map((reward) => {
        const short = (reward.points ?? 0) - member.balance.available;
        return h(
          "li",
          {},
          icon("gift"),
          h("div", {}, h("b", {}, reward.name), h("span", { class: "muted" }, rewardText(reward))),
          h(
            "span",
            { class: "price-tag" },
            priceOf(reward, program),
            short > 0 && h("small", {}, `${count(short)} to go`),
          ),
        );
      }),
    ),
    program.pointValue && h("p", { class: "muted" }, `You can also pay with points: 100 are worth ${money(program.pointValue)}.`),
  );
}

/** What it takes to have a reward: points, a coupon, a tier that not everybody has. */
function priceOf(reward, program) {
  if (reward.points) return points(reward.points);
  if (reward.needsCoupon) return "Coupon";
  if (reward.tiers.length === program.tiers.length) return "";
  return reward.tiers.map((code) => program.tiers.find((one) => one.code === code)?.name ?? code).join(", ");
}
