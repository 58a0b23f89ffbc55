import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { shared } from '../i18n/shared';
import { Button } from './Button';
import './control.css';

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
  /** Where given, the dialog is a form: Enter sends it. */
  onSend?: () => unknown;
  /** What the sending button says, and whether it may be pressed. */
  send?: string;
  ready?: boolean;
  danger?: boolean;
}

/** A modal: the browser keeps the focus inside, Escape closes, and the focus goes back to where it was. */
export function Dialog({ title, onClose, children, wide, onSend, send, ready = true, danger }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const close = (
    <Button onPress={onClose} {...(onSend ? {} : { look: 'main' as const })}>
      {onSend ? shared('act.cancel') : shared('act.close')}
    </Button>
  );
  return (
    <dialog ref={element} class={wide ? 'dialog wide' : 'dialog'} aria-label={title} onCancel={(event) => (event.preventDefault(), onClose())} onClick={(event) => event.stopPropagation()}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) void onSend?.();
        }}
      >
        <h2>{title}</h2>
        {children}
        <footer>
          {close}
          {onSend && (
            <Button type="submit" look={danger ? 'danger' : 'main'} disabled={!ready}>
              {send ?? shared('act.send')}
            </Button>
          )}
        </footer>
      </form>
    </dialog>
  );
}
