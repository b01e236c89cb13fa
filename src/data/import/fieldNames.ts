/** Names that stores give to well-known variables. */

type Names = readonly (readonly [RegExp, string])[];

const UPPER: Names = [
  [/^(u|ua|u_component_of_wind|eastward_wind)$/i, "velocity_u"],
  [/^(v|va|v_component_of_wind|northward_wind)$/i, "velocity_v"],
  [/^(w|wap|omega|vertical_velocity|lagrangian_tendency_of_air_pressure)$/i, "velocity_z"],
  [/^(t|ta|temperature|air_temperature)$/i, "temperature"],
  [/^(q|hus|specific_humidity)$/i, "specific_humidity"],
  [/^(vo|vorticity|relative_vorticity|atmosphere_relative_vorticity)$/i, "vorticity"],
  [/^(d|divergence)$/i, "divergence"],
  [/^(z|geopotential)$/i, "geopotential"],
];

const SURFACE: Names = [
  [/^(tp|total_precipitation)$/i, "total_precip"],
  [/^(sp|surface_pressure)$/i, "surface_pressure"],
  [/^(msl|prmsl|psl|mean_sea_level_pressure)$/i, "mean_sea_level_pressure"],
  [/^(t2m|2t|tas|2m_temperature)$/i, "t2m"],
  [/^(u10|u10m|10u|10m_u_component_of_wind)$/i, "velocity_u_10m"],
  [/^(v10|v10m|10v|10m_v_component_of_wind)$/i, "velocity_v_10m"],
  [/^(u)$/i, "velocity_u_sfc"],
  [/^(v)$/i, "velocity_v_sfc"],
  [/^(t)$/i, "temperature_sfc"],
];

/** CF's names of the same quantities. At the surface only those that say of which height they are. */
const STANDARD_UPPER: Names = [
  [/^eastward_wind$/, "velocity_u"],
  [/^northward_wind$/, "velocity_v"],
  [/^lagrangian_tendency_of_air_pressure$/, "velocity_z"],
  [/^air_temperature$/, "temperature"],
  [/^specific_humidity$/, "specific_humidity"],
  [/^(atmosphere|atmosphere_upward)_relative_vorticity$/, "vorticity"],
  [/^divergence_of_wind$/, "divergence"],
  [/^geopotential$/, "geopotential"],
];
const STANDARD_SURFACE: Names = [
  [/^surface_air_pressure$/, "surface_pressure"],
  [/^air_pressure_at_(mean_)?sea_level$/, "mean_sea_level_pressure"],
];

/** The store's name of a file's variable; one that is not known keeps its own. */
export function fieldName(variable: string, surface: boolean): string {
  return find(surface ? SURFACE : UPPER, variable) ?? variable.replace(/[^A-Za-z0-9_]+/g, "_");
}

/**
 * The store's name of a well-known variable, or null: by its name, by GRIB's short name, by CF's standard name.
 * Names of fields as stores have them are known too.
 */
export function wellKnownField(
  variable: { name: string; alias?: string; standardName?: string },
  surface: boolean,
): string | null {
  const [names, standard] = surface ? [SURFACE, STANDARD_SURFACE] : [UPPER, STANDARD_UPPER];
  if (names.some(([, own]) => own === variable.name)) return variable.name;
  return find(names, variable.name) ?? find(names, variable.alias ?? "") ?? find(standard, variable.standardName ?? "");
}

const find = (names: Names, text: string): string | null => names.find(([pattern]) => pattern.test(text))?.[1] ?? null;
