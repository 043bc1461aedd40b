#include "SpineTrackAssets.h"

#include "Engine/TextureCube.h"
#include "UObject/ConstructorHelpers.h"

USpineTrackAssets::USpineTrackAssets()
{
	static ConstructorHelpers::FObjectFinder<UTextureCube> Grey(
		TEXT("/Engine/EngineResources/GrayLightTextureCube.GrayLightTextureCube"));
	EvenSurround = Grey.Object;
}
