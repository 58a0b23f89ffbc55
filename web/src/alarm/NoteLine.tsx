import { useEffect, useRef, useState } from 'preact/hooks';
import { Button, Chip } from '../control/Button';
import { shared } from '../i18n/shared';

const QUICK = ['evacuated', 'checking'] as const;

/** The note that a P1 asks for, in one line: typed, or filled by one of two that fit most first minutes. */
export function NoteLine({ onNote, onClose }: { onNote: (note: string) => Promise<void>; onClose: () => void }) {
  const [note, setNote] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  // Fills and does not send: an urgent alarm is acknowledged by one deliberate press, whose note the person has before their eyes.
  const fill = (text: string): void => {
    setNote(text);
    // A finger wants no keyboard over the list; a keyboard goes on by Enter.
    if (matchMedia('(pointer: fine)').matches) field.current?.focus();
  };
  const ready = note.trim() !== '';
  return (
    <>
      <span class="quick">
        {QUICK.map((quick) => (
          <Chip key={quick} on={note === shared(`note.${quick}`)} onToggle={() => fill(shared(`note.${quick}`))}>
            {shared(`note.${quick}`)}
          </Chip>
        ))}
      </span>
      <input
        ref={field}
        class="input"
        value={note}
        maxLength={200}
        placeholder={shared('note.ask')}
        aria-label={shared('note.ask')}
        onInput={(event) => setNote(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && !event.repeat && ready) void onNote(note.trim());
          if (event.key === 'Escape') onClose();
        }}
      />
      <Button look="main" disabled={!ready} onPress={() => onNote(note.trim())}>
        {shared('act.acknowledge')}
      </Button>
      <Button look="plain" onPress={onClose}>
        {shared('act.cancel')}
      </Button>
    </>
  );
}
