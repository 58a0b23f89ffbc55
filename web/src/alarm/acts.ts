/** What a person may do to an alarm. Each face hands in its own calls; what it leaves out is not offered. */

import type { Outcome } from '../api/call';
import type { Alarm } from '../api/shape';

/** The second person of a shelved P1, at the plant a person with a PIN, in the city a user with a password. */
export interface Second {
  who: string;
  secret: string;
}

export interface Shelving {
  minutes: number;
  reason: string;
  second: Second | null;
}

export interface AlarmActs {
  /** Sees to it that somebody stands behind an act before its questions are asked; false where nobody would. */
  begin?: () => Promise<boolean>;
  /** The note is null except where `needsNote`. Left out for a role that only watches. */
  acknowledge?: (alarm: Alarm, note: string | null) => Promise<Outcome<unknown>>;
  reset?: (alarm: Alarm) => Promise<Outcome<unknown>>;
  shelve?: (alarm: Alarm, shelving: Shelving) => Promise<Outcome<unknown>>;
  unshelve?: (alarm: Alarm) => Promise<Outcome<unknown>>;
  outOfService?: (alarm: Alarm, reason: string) => Promise<Outcome<unknown>>;
  inService?: (alarm: Alarm) => Promise<Outcome<unknown>>;
  /** Who may be the second person; free text where the face does not know its people. */
  seconds?: () => readonly { id: string; name: string }[];
}

/** P1 asks what was done. */
export const needsNote = (alarm: Alarm): boolean => alarm.priority === 1;

/** One shift: the longest that an alarm may be shelved (R15). */
export const SHELVE_MAX_MINUTES = 480;
