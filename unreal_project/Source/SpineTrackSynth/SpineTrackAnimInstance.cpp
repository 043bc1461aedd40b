#include "SpineTrackAnimInstance.h"

#include "Animation/AnimInstanceProxy.h"
#include "Animation/AnimNodeBase.h"

namespace
{
/** What the engine evaluates, on whatever thread: a copy of the pose. */
struct FSpineTrackAnimProxy : public FAnimInstanceProxy
{
	explicit FSpineTrackAnimProxy(UAnimInstance* Instance) : FAnimInstanceProxy(Instance) {}

	virtual void PreUpdate(UAnimInstance* Instance, float DeltaSeconds) override
	{
		FAnimInstanceProxy::PreUpdate(Instance, DeltaSeconds);
		Pose = CastChecked<USpineTrackAnimInstance>(Instance)->GetPose();
	}

	virtual bool Evaluate(FPoseContext& Output) override
	{
		Output.ResetToRefPose();
		const FBoneContainer& Bones = Output.Pose.GetBoneContainer();
		for (const FCompactPoseBoneIndex Index : Output.Pose.ForEachBoneIndex())
		{
			const int32 Bone = Bones.MakeMeshPoseIndex(Index).GetInt();
			if (Pose.IsValidIndex(Bone))
			{
				Output.Pose[Index] = Pose[Bone];
			}
		}
		return true;
	}

	TArray<FTransform> Pose;
};
} // namespace

FAnimInstanceProxy* USpineTrackAnimInstance::CreateAnimInstanceProxy()
{
	return new FSpineTrackAnimProxy(this);
}

void USpineTrackAnimInstance::DestroyAnimInstanceProxy(FAnimInstanceProxy* Proxy)
{
	delete Proxy;
}
