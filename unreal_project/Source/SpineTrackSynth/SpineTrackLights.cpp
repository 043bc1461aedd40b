#include "SpineTrackLights.h"

#include "Components/DirectionalLightComponent.h"
#include "Components/RectLightComponent.h"
#include "Components/SkyAtmosphereComponent.h"
#include "Components/SkyLightComponent.h"
#include "Engine/DirectionalLight.h"
#include "Engine/RectLight.h"
#include "Engine/SkyLight.h"
#include "Engine/TextureCube.h"
#include "Engine/World.h"
#include "SpineTrackAssets.h"

namespace
{
/** Haze of the engine's default sky, 1/km, about that of turbidity 3. */
constexpr float DefaultMie = 0.003996f;
constexpr double DefaultTurbidity = 3.0;

constexpr float ReachCm = 3000.0f;

FVector ToVector(const SpineTrack::FVec& Vec)
{
	return FVector(Vec.X, Vec.Y, Vec.Z);
}

/** A colour of largest part 1, and what was taken out of it. */
FLinearColor Hue(const SpineTrack::FVec& Radiance, double& OutLargest)
{
	OutLargest = FMath::Max(FMath::Max(Radiance.X, Radiance.Y), FMath::Max(Radiance.Z, 1e-9));
	return FLinearColor(static_cast<float>(Radiance.X / OutLargest), static_cast<float>(Radiance.Y / OutLargest),
		static_cast<float>(Radiance.Z / OutLargest));
}

template <typename TActor>
TActor* Spawn(UWorld* World, const FVector& Location, const FRotator& Rotation)
{
	FActorSpawnParameters Parameters;
	Parameters.SpawnCollisionHandlingOverride = ESpawnActorCollisionHandlingMethod::AlwaysSpawn;
	return World->SpawnActor<TActor>(TActor::StaticClass(), Location, Rotation, Parameters);
}

/** Its intensity along the normal is radiance times area. */
AActor* SpawnPanel(UWorld* World, const SpineTrack::FPanel& Panel, double Scale)
{
	const FVector U = ToVector(Panel.HalfU);
	const FVector V = ToVector(Panel.HalfV);
	const FRotator Facing = FRotationMatrix::MakeFromXY(ToVector(SpineTrack::Facing(Panel)), U).Rotator();
	ARectLight* Light = Spawn<ARectLight>(World, ToVector(Panel.Center), Facing);
	if (Light == nullptr)
	{
		return nullptr;
	}
	double Largest = 0.0;
	const FLinearColor Color = Hue(Panel.Radiance, Largest);
	URectLightComponent* Component = Light->RectLightComponent;
	Component->SetMobility(EComponentMobility::Movable);
	Component->SetIntensityUnits(ELightUnits::Candelas);
	Component->SetIntensity(static_cast<float>(Largest * SpineTrack::AreaM2(Panel) * Scale));
	Component->SetLightColor(Color, false);
	Component->SetSourceWidth(static_cast<float>(2.0 * U.Size()));
	Component->SetSourceHeight(static_cast<float>(2.0 * V.Size()));
	Component->SetBarnDoorLength(0.0f);
	Component->SetAttenuationRadius(ReachCm);
	return Light;
}

AActor* SpawnSun(UWorld* World, const SpineTrack::FSun& Sun, double Scale)
{
	ADirectionalLight* Light =
		Spawn<ADirectionalLight>(World, FVector::ZeroVector, (-ToVector(Sun.Toward)).Rotation());
	if (Light == nullptr)
	{
		return nullptr;
	}
	UDirectionalLightComponent* Component = CastChecked<UDirectionalLightComponent>(Light->GetLightComponent());
	Component->SetMobility(EComponentMobility::Movable);
	Component->SetAtmosphereSunLight(true);
	Component->SetIntensity(static_cast<float>(Sun.SunScale * Scale));
	return Light;
}

/** The engine's sky is as bright as its sun: the factor makes up for a sun that is veiled. */
AActor* SpawnSky(UWorld* World, const SpineTrack::FSun& Sun)
{
	ASkyAtmosphere* Sky = Spawn<ASkyAtmosphere>(World, FVector::ZeroVector, FRotator::ZeroRotator);
	if (Sky == nullptr)
	{
		return nullptr;
	}
	USkyAtmosphereComponent* Component = Sky->FindComponentByClass<USkyAtmosphereComponent>();
	const float Factor = static_cast<float>(Sun.SkyScale / FMath::Max(Sun.SunScale, 0.01));
	Component->SetSkyLuminanceFactor(FLinearColor(Factor, Factor, Factor));
	Component->SetMieScatteringScale(DefaultMie * static_cast<float>((Sun.Turbidity - 1.0) / (DefaultTurbidity - 1.0)));
	return Sky;
}

AActor* SpawnSkyLight(UWorld* World, const SpineTrack::FVec* Ambient, double Scale)
{
	ASkyLight* Light = Spawn<ASkyLight>(World, FVector::ZeroVector, FRotator::ZeroRotator);
	if (Light == nullptr)
	{
		return nullptr;
	}
	USkyLightComponent* Component = Light->GetLightComponent();
	Component->SetMobility(EComponentMobility::Movable);
	if (Ambient == nullptr)
	{
		Component->SetRealTimeCaptureEnabled(true);
		return Light;
	}
	double Largest = 0.0;
	const FLinearColor Color = Hue(*Ambient, Largest);
	Component->SourceType = SLS_SpecifiedCubemap;
	Component->bLowerHemisphereIsBlack = false;
	Component->SetCubemap(GetDefault<USpineTrackAssets>()->EvenSurround);
	Component->SetLightColor(Color);
	Component->SetIntensity(static_cast<float>(Largest * Scale));
	Component->RecaptureSky();
	return Light;
}
} // namespace

TArray<TWeakObjectPtr<AActor>> SpawnLights(UWorld* World, const FShotLights& Wanted)
{
	const double Scale = SpineTrack::LightScale(Wanted.Panels, Wanted.Suns, Wanted.Ambients, Wanted.Exposure);
	TArray<TWeakObjectPtr<AActor>> Spawned;
	for (const SpineTrack::FPanel& Panel : Wanted.Panels)
	{
		Spawned.Add(SpawnPanel(World, Panel, Scale));
	}
	for (const SpineTrack::FSun& Sun : Wanted.Suns)
	{
		Spawned.Add(SpawnSun(World, Sun, Scale));
		Spawned.Add(SpawnSky(World, Sun));
		Spawned.Add(SpawnSkyLight(World, nullptr, Scale));
	}
	for (const SpineTrack::FVec& Ambient : Wanted.Ambients)
	{
		Spawned.Add(SpawnSkyLight(World, &Ambient, Scale));
	}
	return Spawned;
}
