import type { ComponentType } from 'preact';
import type { IconName } from './Icon';

/** One of the at most seven places of a face. Its id is the first part of its address; the first place's is empty. */
export interface Place {
  id: string;
  label: () => string;
  icon: IconName;
  view: ComponentType;
  /** Has an address, and no entry among the places. */
  hidden?: boolean;
}
