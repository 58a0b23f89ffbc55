import { useEffect, useState } from 'preact/hooks';
import { Field, Input } from '../../control/Field';

interface NumberFieldProps {
  label: string;
  hint?: string;
  value: number | null | undefined;
  placeholder?: string;
  onNumber: (value: number | null) => void;
}

/** A number that may be absent. What is half typed (`-`, `1.`) stays in the field and is no number yet. */
export function NumberField({ label, hint, value, placeholder, onNumber }: NumberFieldProps) {
  const [text, setText] = useState(spelt(value));
  useEffect(() => {
    if (read(text) !== (value ?? null)) setText(spelt(value));
  }, [value]);
  const type = (typed: string): void => {
    setText(typed);
    onNumber(read(typed));
  };
  return (
    <Field label={label} {...(hint ? { hint } : {})}>
      <Input value={text} onText={type} autocomplete="off" {...(placeholder ? { placeholder } : {})} invalid={text.trim() !== '' && read(text) === null} />
    </Field>
  );
}

const spelt = (value: number | null | undefined): string => (value === null || value === undefined ? '' : String(value));

function read(text: string): number | null {
  const number = Number(text.trim().replace(',', '.'));
  return text.trim() === '' || !Number.isFinite(number) ? null : number;
}
