// How bright the lights of a shot are to be, free of the engine.
//
// The embedded renderer exposes each picture by what is in it; here exposure is fixed, and the
// lights are scaled together until white on the floor is lit as a picture wants it.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "Frames.h"

namespace SpineTrack
{
constexpr double Pi = 3.14159265358979323846;

/** Relative luminance of linear sRGB. */
inline double Luminance(const FVec& Rgb) { return Dot(Rgb, FVec{0.2126, 0.7152, 0.0722}); }

/** A glowing rectangle: centre and half edges in cm; it shines along V x U (left-handed axes). */
struct FPanel
{
	FVec Center, HalfU, HalfV, Radiance;
};

inline FVec Facing(const FPanel& Panel) { return Unit(Cross(Panel.HalfV, Panel.HalfU)); }

/** Whole area in square metres. */
inline double AreaM2(const FPanel& Panel)
{
	const FVec Across = Cross(Panel.HalfU, Panel.HalfV);
	return 4.0 * std::sqrt(Dot(Across, Across)) / 1e4;
}

struct FSun
{
	FVec Toward{0.0, 0.0, 1.0};
	double Turbidity = 3.0, SunScale = 1.0, SkyScale = 1.0;
};

/** What white, level ground gives back for every unit of light: 1 at this illuminance. */
constexpr double WhiteIlluminance = Pi / 2.0;

/** Light that walls and ceiling throw back onto the floor of a room, for each unit that enters. */
constexpr double RoomGain = 2.0;

/** Share of clear daylight that comes from the sky when the sun is in the zenith. */
constexpr double SkyShare = 0.2;

/** Illuminance of level ground at the origin by a panel as a small far source, both sides facing. */
inline double PanelIlluminance(const FPanel& Panel)
{
	const FVec Toward = Panel.Center;
	const double Squared = std::max(Dot(Toward, Toward) / 1e4, AreaM2(Panel) / Pi);
	const FVec Direction = Unit(Toward);
	const double AtPanel = std::max(0.0, -Dot(Facing(Panel), Direction));
	const double AtFloor = std::max(0.0, Direction.Z);
	return RoomGain * Luminance(Panel.Radiance) * AreaM2(Panel) * std::max(0.1, AtPanel * AtFloor) / Squared;
}

/** Illuminance of level ground by sun and sky, where the zenith sun alone would give 1. */
inline double DaylightIlluminance(const FSun& Sun)
{
	const double Height = std::max(0.0, Unit(Sun.Toward).Z);
	return Sun.SunScale * Height + Sun.SkyScale * SkyShare * (0.3 + 0.7 * Height);
}

/** The factor on every light of a shot; 1 where there is none. */
inline double LightScale(const std::vector<FPanel>& Panels, const std::vector<FSun>& Suns,
	const std::vector<FVec>& Ambients, double Exposure)
{
	double Total = 0.0;
	for (const FPanel& Panel : Panels)
	{
		Total += PanelIlluminance(Panel);
	}
	for (const FSun& Sun : Suns)
	{
		Total += DaylightIlluminance(Sun);
	}
	for (const FVec& Radiance : Ambients)
	{
		Total += Pi * Luminance(Radiance);
	}
	return Total > 0.0 ? Exposure * WhiteIlluminance / Total : 1.0;
}
} // namespace SpineTrack
