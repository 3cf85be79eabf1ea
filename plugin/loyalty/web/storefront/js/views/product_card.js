// A product as a card: picture, name, price, and the button that puts it into the cart.

import { add } from "../cart.js";
import { announce, h } from "../dom.js";
import { lastDay } from "../format.js";
import { icon, picture } from "../icons.js";
import { get } from "../store.js";
import { inventedNames } from "../words.js";
import { meaning, priceLine, reasonLine } from "./meaning.js";

/** The mark of what is not data. */
export function dagger() {
  return h(
    "span",
    { class: "invented", title: "Invented for the demo" },
    h("span", { "aria-hidden": "true" }, "†"),
    h("span", { class: "visually-hidden" }, " (invented for the demo)"),
  );
}

/** Catalogue texts have slashes where others have spaces: let them break there. */
function breakable(text) {
  return text.replaceAll("/", "/\u200b");
}

export function productName(product) {
  return [breakable(product.name), inventedNames(product).includes("name") && dagger()];
}

function soldOut(product) {
  return ["Sold out", inventedNames(product).includes("stock") && dagger()];
}

export function addButton(product, className = "add", onAdd = () => {}) {
  const sellable = product.inStock && product.price;
  return h(
    "button",
    {
      class: className,
      disabled: !sellable,
      "data-focus": `add-${product.externalId}`,
      "aria-label": sellable ? `Add ${product.name} to the cart` : `${product.name}: sold out`,
      onclick: () => {
        add(product);
        onAdd();
        announce(`${product.name} is in your cart.`);
      },
    },
    sellable ? [icon("plus"), "Add"] : soldOut(product),
  );
}

/** For whom it is, and until when before all others. */
function access(product, tiers) {
  const names = tiers.join(", ");
  const said = product.tiersUntil ? `Early access for ${names} until ${lastDay(product.tiersUntil)}` : `Only for ${names}`;
  return [said, inventedNames(product).includes("tiers") && dagger()];
}

/**
 * `shown`, for a recommended product: `item` as the engine answered it, the `language` of its
 * reason, and what to do when it is opened or put into the cart.
 */
export function productCard(product, level = "h3", shown = null) {
  const tiers = product.tiers.map((code) => get("program")?.tiers.find((tier) => tier.code === code)?.name ?? code);
  return h(
    "article",
    { class: "product" },
    h(
      "a",
      {
        class: "product-link",
        href: `#/product/${encodeURIComponent(product.externalId)}`,
        "data-focus": `see-${product.externalId}`,
        onclick: shown?.onOpen,
      },
      picture(product),
      h(level, { title: product.name }, productName(product)),
    ),
    h("p", { class: "category" }, breakable(product.category ?? product.department ?? " ")),
    shown && reasonLine(shown.item, shown.language),
    tiers.length > 0 && h("p", { class: "only" }, icon("lock"), h("span", {}, access(product, tiers))),
    shown && meaning(shown.item),
    h("div", { class: "buy" }, priceLine(product, shown?.item.loyalty), addButton(product, "add", shown?.onAdd)),
  );
}
