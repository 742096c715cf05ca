// How `scatter-links` tells `scatter-add` what to add up: the next position in the low bits.
const LATER = 0x80000000u;
const NONE = 0x7fffffffu;
