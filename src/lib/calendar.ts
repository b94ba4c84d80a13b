/** Days and months of wall-clock time in UTC, by arithmetic: no clock, no time zone. */

/** A stretch of the calendar over which something is counted. */
export type CalendarPeriod = "day" | "month";

const DAY_MS = 86_400_000;

/** The period that `wallMs` (ms since 1970) falls into: its name and its end. */
export function periodAt(
  period: CalendarPeriod,
  wallMs: number,
): { readonly name: string; readonly endMs: number } {
  const day = Math.floor(wallMs / DAY_MS);
  const { year, month, dayOfMonth } = civil(day);
  const name = `${year}-${padded(month)}`;
  if (period === "day") {
    return { name: `${name}-${padded(dayOfMonth)}`, endMs: (day + 1) * DAY_MS };
  }
  // The first of the next month: no month has more than 31 days.
  const later = day - dayOfMonth + 1 + 31;
  return { name, endMs: (later - civil(later).dayOfMonth + 1) * DAY_MS };
}

/** Days since 1970-01-01 as a date (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
function civil(days: number) {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const dayOfMonth = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth };
}

const padded = (number: number): string => String(number).padStart(2, "0");
