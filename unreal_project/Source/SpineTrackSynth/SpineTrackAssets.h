#pragma once

#include "CoreMinimal.h"
#include "UObject/Object.h"
#include "SpineTrackAssets.generated.h"

class UTextureCube;

/**
 * Assets of the engine that the code wants by itself.
 *
 * The default object of this class refers to them, so that the cooker takes them into the package:
 * it follows references of what is loaded when it starts, and knows nothing of a path in a string.
 */
UCLASS()
class SPINETRACKSYNTH_API USpineTrackAssets : public UObject
{
	GENERATED_BODY()

public:
	USpineTrackAssets();

	/** An even white surround; its grey is taken for 1. */
	UPROPERTY()
	TObjectPtr<UTextureCube> EvenSurround;
};
