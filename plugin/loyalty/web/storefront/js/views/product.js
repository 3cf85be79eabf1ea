// One product, and what goes with it.

import { CallFailed } from "../api.js";
import { PRODUCT_BY_ID } from "../documents.js";
import { byId, fill, h } from "../dom.js";
import { money } from "../format.js";
import { icon, picture } from "../icons.js";
import { opened } from "../seen.js";
import { ask } from "../session.js";
import { get, viewer, watch } from "../store.js";
import { inventedNames } from "../words.js";
import { addButton, dagger, productName } from "./product_card.js";
import { recommendations } from "./recommendations.js";

export function showProduct() {
  const place = h("div", { "aria-live": "polite" });
  const related = h("div", {});
  byId("page-product").append(h("a", { class: "back", href: "#/shop" }, icon("back"), "All products"), place, related);

  const wanted = () => (viewer() && get("route").page === "product" ? get("route").product : null);
  let shown = null;
  watch(["route", "member", "session"], () => {
    const name = wanted();
    if (!name || shown === name) return;
    shown = name;
    load(name);
  });

  async function load(name) {
    fill(place, h("p", { class: "muted" }, "Fetching the product…"));
    try {
      const { product } = await ask(PRODUCT_BY_ID, { externalId: name });
      if (shown === name) fill(place, product ? detail(product) : h("p", {}, "There is no such product."));
      if (product) opened(name);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      if (shown === name) fill(place, h("p", { class: "failure" }, error.message, " ", h("button", { onclick: () => load(name) }, "Try again")));
    }
  }

  recommendations(related, "Goes with it", ["SIMILAR", "BOUGHT_TOGETHER"], {
    ready: () => wanted() !== null,
    watches: ["route", "member", "session"],
    key: () => `${viewer()}/${wanted()}`,
    variables: () => ({ product: wanted() }),
  });
}

function detail(product) {
  const rows = [
    ["Department", product.department],
    ["Category", product.category],
    ["Type", product.type],
    ["Brand", product.brand],
    ["Number", product.externalId],
  ].filter(([, value]) => value);
  const invented = inventedNames(product);
  return h(
    "article",
    { class: "panel detail-card" },
    picture(product),
    h(
      "div",
      {},
      h("h1", {}, productName(product)),
      h("p", { class: "price large" }, product.price ? money(product.price) : "No price"),
      addButton(product, "primary"),
      h(
        "dl",
        { class: "rows" },
        h("div", {}, h("dt", {}, "Stock"), h("dd", {}, product.inStock ? "In stock" : "Sold out", invented.includes("stock") && dagger())),
        rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
      ),
      invented.length > 0 && h("p", { class: "muted" }, h("span", { class: "invented", "aria-hidden": "true" }, "†"), ` Invented for the demo: ${invented.join(", ")}. The price is one that was paid; the picture is a drawing.`),
    ),
  );
}
