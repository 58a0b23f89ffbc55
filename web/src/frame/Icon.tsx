/** Line drawings of 20 px; `currentColor`, so that they are as grey as their word. */
const DRAWINGS = {
  overview: 'M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z',
  alarms: 'M10 3a5 5 0 0 0-5 5c0 4-1.5 5.5-1.5 5.5h13S15 12 15 8a5 5 0 0 0-5-5ZM8.3 16.5a1.8 1.8 0 0 0 3.4 0',
  trend: 'M3 3v14h14M5.5 13l3.5-5 3 3 4.5-6.5',
  performance: 'M3 17h14M5 14v-4M10 14V4M15 14V8',
  commissioning: 'M12.6 3.4a4.2 4.2 0 0 0-5 5.6L3 13.6 6.4 17l4.6-4.6a4.2 4.2 0 0 0 5.6-5L14 10l-3-1-1-3z',
  system: 'M3 4h14v5H3zM3 11h14v5H3zM6 6.5h.1M6 13.5h.1',
  situation: 'M10 17s5.5-4.6 5.5-9A5.5 5.5 0 0 0 4.5 8c0 4.4 5.5 9 5.5 9ZM10 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
  site: 'M3 17V9l4.5 3V9l4.5 3V4h5v13zM6 14.5h.1M10 14.5h.1M14 14.5h.1',
  record: 'M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M7.5 10h5M7.5 13h5',
  administration: 'M10 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM4 17c0-3.3 2.7-5 6-5s6 1.7 6 5',
  help: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM7.8 7.8A2.3 2.3 0 0 1 12.2 8c0 1.6-2.2 1.9-2.2 3.5M10 14h.1',
  sound: 'M3 8v4h3l4 3.5v-11L6 8zM13 7.5a3.5 3.5 0 0 1 0 5M15 5a7 7 0 0 1 0 10',
  muted: 'M3 8v4h3l4 3.5v-11L6 8zM13 8l4 4M17 8l-4 4',
  sun: 'M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.5 1.5M14.2 14.2l1.5 1.5M4.3 15.7l1.5-1.5M14.2 5.8l1.5-1.5',
  moon: 'M16.5 12.5A7 7 0 0 1 7.5 3.5a7 7 0 1 0 9 9Z',
  auto: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM10 2.5v15M10 6h5.5M10 10h7.3M10 14h5.5',
  close: 'M5 5l10 10M15 5 5 15',
  back: 'M12.5 4 6.5 10l6 6',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4.5 4.5',
  print: 'M6 7V3h8v4M6 14H3V7h14v7h-3M6 11.5h8V17H6z',
  calendar: 'M3.5 5h13v12h-13zM3.5 8.5h13M7 3v3M13 3v3',
  left: 'M12.5 4 6.5 10l6 6',
  right: 'M7.5 4l6 6-6 6',
  up: 'M4 12.5l6-6 6 6',
} as const;

export type IconName = keyof typeof DRAWINGS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={DRAWINGS[name]} />
    </svg>
  );
}
