import { useState } from 'preact/hooks';
import type { Failure, Outcome } from '../api/call';
import { Dialog } from '../control/Dialog';
import { Field } from '../control/Field';
import { shared } from '../i18n/shared';
import { Refusal } from '../notice/Notice';

interface ReasonDialogProps {
  title: string;
  /** What it will do, and to what. */
  what: string;
  onSend: (reason: string) => Promise<Outcome<unknown>>;
  onClose: () => void;
}

/** Enter sends, as in every dialog; with Shift, or while a Chinese word is being composed, it stays in the text. */
function onKey(event: KeyboardEvent & { currentTarget: HTMLTextAreaElement }): void {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  event.currentTarget.form?.requestSubmit();
}

/** An act that needs a reason. */
export function ReasonDialog({ title, what, onSend, onClose }: ReasonDialogProps) {
  const [reason, setReason] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);
  const send = async (): Promise<void> => {
    const outcome = await onSend(reason.trim());
    if (outcome.ok) onClose();
    else setFailure(outcome.failure);
  };
  return (
    <Dialog title={title} onClose={onClose} onSend={send} send={title} ready={reason.trim() !== ''}>
      <p>{what}</p>
      <Field label={shared('details.reason')}>
        <textarea class="input" value={reason} maxLength={200} required onKeyDown={onKey} onInput={(event) => setReason(event.currentTarget.value)} />
      </Field>
      {failure && <Refusal failure={failure} />}
    </Dialog>
  );
}
