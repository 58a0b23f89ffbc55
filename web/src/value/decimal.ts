/** A figure with so many decimals; what rounds to nothing has no sign, since `-0.0` would make people look for a fault. */
export function decimal(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace('-', '') : text;
}
