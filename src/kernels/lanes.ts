/** From so many elements on some invocations share a row; below, one does it alone, without barriers. */
export const WIDE = 256;

/**
 * How many share it: by its elements alone, never by rows. Few, since each has to wait for what the others found; more
 * where a row is long enough for that not to count.
 */
export const lanesFor = (elements: number): number => (elements < 4096 ? 4 : elements < 32_768 ? 16 : 64);
