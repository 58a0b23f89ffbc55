/** The tabs of commissioning that this version has, in their order. */
export const TABS_SHOWN: readonly string[] = ['', 'scan', 'probe', 'points', 'proof', 'report'];
