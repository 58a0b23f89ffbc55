/** A choice that this screen remembers. A browser without storage forgets it, and nothing else happens. */
export interface Remembered<T extends string> {
  value: T;
  keep: (value: T) => void;
}

export function remembered<T extends string>(key: string, choices: readonly T[], otherwise: T): Remembered<T> {
  const name = `davy.${key}`;
  return { value: read(name, choices) ?? otherwise, keep: (value) => write(name, value) };
}

function read<T extends string>(name: string, choices: readonly T[]): T | null {
  try {
    const stored = localStorage.getItem(name);
    return choices.find((choice) => choice === stored) ?? null;
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Private windows refuse storage; the choice lives until the page closes.
  }
}
