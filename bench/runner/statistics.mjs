// statistics.mjs - medians and quartiles; a ratio is taken within a pair, so that slow drift of the machine cancels.

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

export const median = (values) => quantile(values, 0.5);

export function pairRatios(numerators, denominators) {
  const ratios = numerators.map((value, i) => value / denominators[i]);
  return { median: median(ratios), lower: quantile(ratios, 0.25), upper: quantile(ratios, 0.75) };
}
