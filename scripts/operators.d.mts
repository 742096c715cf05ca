export const operatorsFile: string;
/** The table as Markdown. */
export function operatorsText(registry: Readonly<Record<string, unknown>>): string;
