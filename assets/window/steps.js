/* The steps that the arrow keys take in a number, such as a learning rate: doubled or halved, or plus or minus a step. */

/**
 * The text of a number one step up or down, within its range; null where the text is no number.
 * step: "double", or what is added; low and high: its range; whole: whether it is a whole number.
 */
export function stepped(text, { step, low, high, whole }, up) {
  const value = Number(text.trim().replace(",", "."));
  if (!text.trim() || !Number.isFinite(value)) return null;
  const next = step === "double" ? (up ? value * 2 : value / 2) : value + (up ? step : -step);
  const kept = Math.min(high, Math.max(low, whole ? Math.round(next) : +next.toPrecision(6)));
  return kept.toFixed(10).replace(/\.?0+$/, "");
}
