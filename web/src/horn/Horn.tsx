import { useEffect } from 'preact/hooks';
import { Shape } from '../alarm/Symbol';
import type { Horn as HornShape } from '../api/shape';
import { Button } from '../control/Button';
import { Icon } from '../frame/Icon';
import { shared } from '../i18n/shared';
import { useKeys } from '../keys/keys';
import { sound } from './sound';

interface HornProps {
  horn: HornShape;
  onSilence: () => Promise<unknown>;
}

/** The horn in the strip: sounding with its Silence, silenced, or quiet. A browser that blocks sound shows so until the button is pressed. */
export function Horn({ horn, onSilence }: HornProps) {
  const playing = horn.sounding ? (horn.priority ?? 3) : null;
  useEffect(() => void sound.open(), []);
  useEffect(() => sound.play(playing), [playing]);
  useKeys({ s: () => void (horn.sounding && onSilence()) });
  return (
    <>
      {horn.sounding ? (
        <Button look="main" onPress={onSilence} title={shared('horn.silence-hint')}>
          <Icon name="muted" size={18} />
          {shared('horn.silence')}
        </Button>
      ) : (
        <span class="part small muted">
          <Icon name={horn.silenced ? 'muted' : 'sound'} size={18} />
          {shared(horn.silenced ? 'horn.silenced' : 'horn.quiet')}
        </span>
      )}
      {sound.state.value !== 'ready' && (
        <Button onPress={() => sound.open()} title={shared('horn.blocked-hint')}>
          <Shape kind="fault" />
          {shared(sound.state.value === 'absent' ? 'horn.absent' : 'horn.blocked')}
        </Button>
      )}
    </>
  );
}
