/** Units people read a field in. Stores hold SI values; `scale` takes them to the unit shown. */

export interface DisplayUnit {
  unit: string;
  /** shown value = stored value * scale */
  scale: number;
}

const UNITS: [pattern: RegExp, unit: string, scale: number][] = [
  [/^velocity_z/, "Pa/s", 1],
  [/^velocity_|wind/, "m/s", 1],
  [/^temperature|^t2m/, "K", 1],
  [/pressure/, "hPa", 0.01],
  [/^specific_humidity/, "g/kg", 1000],
  [/precip/, "mm", 1000],
  [/^geopotential/, "m2/s2", 1],
  [/^vorticity|^divergence/, "1e-5/s", 1e5],
];

/** Display unit of a field by its name; unit "" and scale 1 if the name is not known. */
export function displayUnit(field: string): DisplayUnit {
  const row = UNITS.find(([pattern]) => pattern.test(field));
  return row ? { unit: row[1], scale: row[2] } : { unit: "", scale: 1 };
}
