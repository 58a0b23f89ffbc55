import type { ComponentChildren } from 'preact';
import './control.css';

interface FieldProps {
  label: string;
  hint?: string;
  /** What is wrong with what stands in the field; empty where nothing is. */
  wrong?: string | null;
  children: ComponentChildren;
}

/** A control with its label above, and what is wrong with it below. */
export function Field({ label, hint, wrong, children }: FieldProps) {
  return (
    <label class="field">
      <span class="label">{label}</span>
      {children}
      {hint && <span class="hint">{hint}</span>}
      {wrong && (
        <span class="wrong" role="alert">
          {wrong}
        </span>
      )}
    </label>
  );
}

interface InputProps {
  value: string;
  onText: (text: string) => void;
  type?: 'text' | 'password' | 'search' | 'number' | 'datetime-local' | 'tel';
  inputMode?: 'text' | 'numeric';
  autocomplete?: 'off' | 'username' | 'current-password' | 'new-password';
  placeholder?: string;
  maxLength?: number;
  label?: string;
  autoFocus?: boolean;
  name?: string;
  /** The id of a `datalist`. */
  list?: string;
  disabled?: boolean;
  invalid?: boolean;
  /** An id or a user: neither capitals nor a spelling are to be put right. */
  literal?: boolean;
  min?: number;
  max?: number;
}

export function Input({ value, onText, label, autoFocus, invalid, literal, ...rest }: InputProps) {
  // Preact's types tell the inputs apart by their type; none of what is passed here differs between them.
  const given = { ...rest, ...(literal ? { autocapitalize: 'none', spellcheck: false } : {}) } as { type?: 'text' };
  return <input class="input" {...given} aria-invalid={invalid} value={value} aria-label={label} autofocus={autoFocus} onInput={(event) => onText(event.currentTarget.value)} />;
}

interface SelectProps {
  value: string;
  choices: readonly { value: string; label: string }[];
  onChoose: (value: string) => void;
  label?: string;
  id?: string;
}

export function Select({ value, choices, onChoose, label, id }: SelectProps) {
  return (
    <select class="input" id={id} value={value} aria-label={label} onChange={(event) => onChoose(event.currentTarget.value)}>
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ))}
    </select>
  );
}
