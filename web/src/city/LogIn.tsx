import { useState } from 'preact/hooks';
import type { Failure } from '../api/call';
import { Button } from '../control/Button';
import { Field, Input } from '../control/Field';
import { Choices } from '../frame/Choices';
import { shared } from '../i18n/shared';
import { Refusal } from '../notice/Notice';
import { city } from './city';
import { city as say } from './messages';

/** Who is there? The address stays, so that a link leads to its page after the log-in. */
export function LogIn({ why }: { why: 'none' | 'ended' | 'left' }) {
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [failure, setFailure] = useState<Failure | null>(null);
  const [busy, setBusy] = useState(false);
  const logIn = async (): Promise<void> => {
    setBusy(true);
    const outcome = await city.logIn(user.trim(), password);
    setBusy(false);
    if (outcome.ok) return;
    setPassword('');
    setFailure(outcome.failure);
  };
  return (
    <main class="gate">
      <form
        class="card gate-card"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void logIn();
        }}
      >
        <div class="row">
          <h1 class="grow">{say('gate.title')}</h1>
          <Choices />
        </div>
        {why !== 'none' && !failure && (
          <p class="refusal" role="status">
            {say(`gate.${why}`)}
          </p>
        )}
        <Field label={say('gate.user')}>
          <Input value={user} onText={setUser} name="username" autocomplete="username" literal autoFocus maxLength={64} />
        </Field>
        <Field label={shared('person.password')}>
          <Input value={password} onText={setPassword} type="password" name="password" autocomplete="current-password" maxLength={200} />
        </Field>
        {failure && <Refusal failure={failure} />}
        <Button type="submit" look="main" disabled={busy || user.trim() === '' || password === ''}>
          {say(busy ? 'gate.checking' : 'gate.log-in')}
        </Button>
        <p class="small muted">{say('gate.what')}</p>
      </form>
    </main>
  );
}
