#pragma once

#include "CoreMinimal.h"
#include "Animation/AnimInstance.h"
#include "SpineTrackAnimInstance.generated.h"

/** Plays no animation: every bone is where it was last put. */
UCLASS(Transient, NotBlueprintable)
class SPINETRACKSYNTH_API USpineTrackAnimInstance : public UAnimInstance
{
	GENERATED_BODY()

public:
	/** Bones in their parents, in the order of the mesh's reference skeleton. */
	void SetPose(TArray<FTransform> InPose) { Pose = MoveTemp(InPose); }
	const TArray<FTransform>& GetPose() const { return Pose; }

protected:
	virtual FAnimInstanceProxy* CreateAnimInstanceProxy() override;
	virtual void DestroyAnimInstanceProxy(FAnimInstanceProxy* Proxy) override;

private:
	TArray<FTransform> Pose;
};
