/* Finding an entry of the command palette by any part of its names, whatever accents they are typed with. */

/** Kind of an entry -> what it is called. */
export const TITLES = { action: "Do", dataset: "Data set", run: "Run", adapter: "Adapter", model: "Model" };

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** Entries that have all the words, those whose names begin with the first before others. */
export function matching(entries, text, kind = "") {
  const words = plain(text).split(/\s+/).filter(Boolean);
  const known = entries.filter((entry) => !kind || entry.kind === kind);
  if (!words.length) return known;
  const hits = known.filter((entry) => {
    const whole = plain(`${entry.name} ${entry.caption} ${TITLES[entry.kind]} ${entry.id}`);
    return words.every((word) => whole.includes(word));
  });
  const rank = (entry) => (plain(entry.name).startsWith(words[0]) ? 0 : plain(entry.name).includes(words[0]) ? 1 : 2);
  return hits.map((entry, order) => [rank(entry), order, entry]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , entry]) => entry);
}
