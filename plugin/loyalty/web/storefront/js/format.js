// How amounts, points and moments are written. Amounts arrive as exact text and leave as text:
// nothing on this page adds, multiplies or rounds money.

const LOCALE = "en";
const moneyFormats = new Map();
let zone = "UTC";

/** Days are shown in the program's time zone, where its rules count them. */
export function setTimeZone(name) {
  zone = name;
}

/** `{amount: "4.20", currencyCode: "USD"}` as "$4.20". */
export function money(value) {
  const digits = value.amount.split(".")[1]?.length ?? 0;
  const key = `${value.currencyCode}/${digits}`;
  if (!moneyFormats.has(key)) {
    // The digits are those of the text: the browser's own table differs from ISO 4217 for some.
    const options = { style: "currency", currency: value.currencyCode };
    moneyFormats.set(key, new Intl.NumberFormat(LOCALE, { ...options, minimumFractionDigits: digits, maximumFractionDigits: digits }));
  }
  // Text, not a number: Intl reads it exactly.
  return moneyFormats.get(key).format(value.amount);
}

export function isZero(value) {
  return /^-?[0.]*$/.test(value.amount);
}

const whole = new Intl.NumberFormat(LOCALE);
const signed = new Intl.NumberFormat(LOCALE, { signDisplay: "exceptZero" });

/** A bare count of points: "1,250". */
export function count(points) {
  return whole.format(points);
}

/** "1 point", "1,250 points". */
export function points(value) {
  return `${whole.format(value)} ${value === 1 ? "point" : "points"}`;
}

/** "+120", "−30". */
export function signedPoints(value) {
  return signed.format(value).replace("-", "−");
}

export function day(moment) {
  return new Date(moment).toLocaleDateString(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: zone });
}

/** The last day before an instant at which something ends, "2 March" for midnight of the 3rd. */
export function lastDay(moment) {
  return day(new Date(moment).getTime() - 1);
}

export function dayAndTime(moment) {
  const time = new Date(moment).toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit", timeZone: zone });
  return `${day(moment)}, ${time}`;
}

export function time(moment) {
  return new Date(moment).toLocaleTimeString(LOCALE, { hour: "2-digit", minute: "2-digit" });
}
