// The page's own drawings: line icons, and a picture for each department (all invented).

import { svg } from "./dom.js";

const ICONS = {
  card: [
    ["rect", { x: 2.5, y: 5, width: 19, height: 14, rx: 2.5 }],
    ["path", { d: "M2.5 10h19M6 15h5" }],
  ],
  shelf: [["path", { d: "M3 9l1.5-5h15L21 9M4 9v11h16V9M3 9h18M9 20v-6h6v6" }]],
  cart: [
    ["path", { d: "M2 4h3l2.5 11h10.5l2.5-8H6" }],
    ["circle", { cx: 9, cy: 19.5, r: 1.5 }],
    ["circle", { cx: 17, cy: 19.5, r: 1.5 }],
  ],
  receipt: [["path", { d: "M5 3v18l2.5-1.5L10 21l2-1.5L14 21l2.5-1.5L19 21V3zM8.5 8h7M8.5 12h7M8.5 16h4" }]],
  check: [["path", { d: "M4 12.5l5 5L20 6.5" }]],
  plus: [["path", { d: "M12 5v14M5 12h14" }]],
  minus: [["path", { d: "M5 12h14" }]],
  bin: [["path", { d: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13M10 11v5M14 11v5" }]],
  clock: [
    ["circle", { cx: 12, cy: 12, r: 9 }],
    ["path", { d: "M12 7v5l3.5 2" }],
  ],
  lock: [
    ["rect", { x: 5, y: 11, width: 14, height: 9, rx: 2 }],
    ["path", { d: "M8 11V8a4 4 0 0 1 8 0v3" }],
  ],
  gift: [["path", { d: "M3.5 9h17v4h-17zM5 13v8h14v-8M12 9v12M12 9c-5 0-6-5-3-5 2 0 3 2.5 3 5 0-2.5 1-5 3-5 3 0 2 5-3 5" }]],
  shop: [["path", { d: "M4 10v10h16V10M3 10l2-6h14l2 6a3 3 0 0 1-6 0 3 3 0 0 1-6 0 3 3 0 0 1-6 0z" }]],
  back: [["path", { d: "M15 5l-7 7 7 7" }]],
  search: [
    ["circle", { cx: 10.5, cy: 10.5, r: 6.5 }],
    ["path", { d: "M15.5 15.5L21 21" }],
  ],
};

export function icon(name) {
  return svg("0 0 24 24", ICONS[name], { class: "icon", "aria-hidden": "true" });
}

const PICTURES = {
  apple: "M32 22c-5-5-16-4-17 7-1 12 8 23 13 23 2 0 3-1 4-1s2 1 4 1c5 0 14-11 13-23-1-11-12-12-17-7zM32 21c0-6 3-10 8-11-1 6-3 9-8 11z",
  meat: "M14 40c-4-11 5-24 18-26 11-2 20 4 20 12 0 7-6 9-10 13-5 5-8 11-16 11-6 0-10-4-12-10zM36 24a5 5 0 1 0 .100 0z",
  milk: "M24 8h16v8l6 9v29H18V25l6-9zM18 32h28M24 16h16",
  bread: "M14 26c-6-2-4-13 7-13h22c11 0 13 11 7 13v25H14zM24 26v16M34 26v16",
  bottle: "M27 8h10v10c0 5 6 6 6 14v22H21V32c0-8 6-9 6-14zM21 36h22M21 46h22",
  tin: "M16 16c0-4 32-4 32 0v32c0 4-32 4-32 0zM16 16c0 4 32 4 32 0M16 25c0 4 32 4 32 0M16 40c0 4 32 4 32 0",
  bag: "M18 18l4-8 5 4 5-4 5 4 5-4 4 8-3 10 3 26H18l3-26zM21 28h22",
  spray: "M26 24h14v30H26zM26 24l3-8h8l3 8M29 16V9h10l6 6M26 34h14",
  pill: "M16 40c-4-6 0-11 4-14l12-10c6-5 12-2 15 2s3 10-2 15L33 43c-6 5-13 3-17-3zM26 21l14 17",
  flower: "M32 26a6 6 0 1 0 .100 0zM32 20c-8-14 8-14 0 0zM38 24c10-10 14 4 0 5zM26 24c-10-10-14 4 0 5zM32 38v16M32 48c6-6 10-5 12-4-2 5-7 6-12 4z",
  fuel: "M16 54V12h20v42M12 54h28M20 18h12v10H20zM36 26h6v18c0 5 6 5 6 0V24l-6-6",
  candy: "M32 19a13 13 0 1 0 .100 0zM21 26L8 18v28l13-8M43 26l13-8v28l-13-8M26 38c1-6 5-10 12-12",
  box: "M12 22l20-10 20 10v22L32 54 12 44zM12 22l20 10 20-10M32 32v22M22 17l20 10",
  book: "M32 16c-6-5-14-5-21-4v36c7-1 15-1 21 4 6-5 14-5 21-4V12c-7-1-15-1-21 4zM32 16v36",
  cup: "M14 22h28v18c0 8-6 12-14 12s-14-4-14-12zM42 27c12-3 12 16 0 13M23 7c-3 3 3 6 0 9M33 7c-3 3 3 6 0 9",
  fish: "M10 32c8-14 26-14 34-2l10-8v20l-10-8c-8 12-26 12-34-2zM20 30a1.5 1.5 0 1 0 .100 0z",
};

// By the beginnings of the words in a product's category, or else in its department; the first
// line with one of them decides.
const WORDS = [
  ["fuel", "fuel gas propane"],
  ["fish", "seafood fish sushi"],
  ["candy", "candy cndy"],
  ["box", "cigar tobacco toy diapers tissue tiss paper candle"],
  ["book", "magazine book newspaper greeting stationery"],
  ["cup", "coffee teas cocoa"],
  ["tin", "shelf canned soup beans baby"],
  ["meat", "meat beef pork chicken poultry turkey lamb veal bacon sausage lunchmeat"],
  ["milk", "milk dairy cheese yogurt egg butter margarine"],
  ["bread", "bread cake bakery roll pie dough pastry breakfast"],
  ["bottle", "drink drnk beverage water juice jce beer wine liquor spirits isotonic"],
  ["bag", "snack snks chip cookie cracker nuts popcorn pet dog cat bird cereal frzn frozen"],
  ["apple", "vegetable fruit salad produce"],
  ["flower", "floral flower garden roses bouquet"],
  ["pill", "vitamin analgesic antacid laxative sinus flu first pharmacy dietary"],
  ["spray", "soap hair shaving deodorant oral hand hbc suntan foot makeup bath cosmetic laundry detergent dishwash bleach clean air insecticide"],
  ["meat", "deli"],
  ["bag", "nutrition"],
  ["box", "drug"],
].map(([name, words]) => [name, words.split(" ")]);

function pictureName(...texts) {
  for (const text of texts) {
    const words = (text ?? "").toLowerCase().split(/[^a-z]+/);
    const found = WORDS.find(([, beginnings]) => beginnings.some((beginning) => words.some((word) => word.startsWith(beginning))));
    if (found) return found[0];
  }
  return "tin";
}

/** A drawing that stands for a product: invented, like every picture in the demo. */
export function picture(product) {
  const about = `${product.category ?? ""} ${product.department ?? ""}`.toLowerCase();
  const drawing = svg("0 0 64 64", [["path", { d: PICTURES[pictureName(product.category, product.department)] }]], { "aria-hidden": "true" });
  const tint = [...about].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 5, 7);
  drawing.setAttribute("class", `picture tint-${tint}`);
  return drawing;
}
