/** Names that stores give to well-known variables. */

const UPPER: readonly (readonly [RegExp, string])[] = [
  [/^(u|ua|u_component_of_wind|eastward_wind)$/i, "velocity_u"],
  [/^(v|va|v_component_of_wind|northward_wind)$/i, "velocity_v"],
  [/^(w|wap|omega|vertical_velocity|lagrangian_tendency_of_air_pressure)$/i, "velocity_z"],
  [/^(t|ta|temperature|air_temperature)$/i, "temperature"],
  [/^(q|hus|specific_humidity)$/i, "specific_humidity"],
  [/^(vo|vorticity|relative_vorticity|atmosphere_relative_vorticity)$/i, "vorticity"],
  [/^(d|divergence)$/i, "divergence"],
  [/^(z|geopotential)$/i, "geopotential"],
];

const SURFACE: readonly (readonly [RegExp, string])[] = [
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

/** The store's name of a file's variable; one that is not known keeps its own. */
export function fieldName(variable: string, surface: boolean): string {
  const row = (surface ? SURFACE : UPPER).find(([pattern]) => pattern.test(variable));
  return row?.[1] ?? variable.replace(/[^A-Za-z0-9_]+/g, "_");
}
