#include "SpineTrackAvatar.h"

#include "Components/SkeletalMeshComponent.h"
#include "Engine/SkeletalMesh.h"
#include "ReferenceSkeleton.h"
#include "SpineTrackAnimInstance.h"

namespace
{
const char* const RootBody = "pelvis";

/** The skin moves out of the bounds it has at rest: without room it would be culled. */
constexpr float RoomForPoses = 3.0f;

SpineTrack::FBoneFrame ToFrame(const FTransform& Transform)
{
	const FQuat Turn = Transform.GetRotation();
	const FVector Place = Transform.GetLocation();
	return {{Turn.X, Turn.Y, Turn.Z, Turn.W}, {Place.X, Place.Y, Place.Z}};
}

FTransform ToTransform(const SpineTrack::FBoneFrame& Frame)
{
	const SpineTrack::FRotation& Turn = Frame.Rotation;
	const SpineTrack::FVec& Place = Frame.Location;
	return FTransform(FQuat(Turn.X, Turn.Y, Turn.Z, Turn.W), FVector(Place.X, Place.Y, Place.Z));
}

SpineTrack::FSkeleton ReadSkeleton(const FReferenceSkeleton& Reference)
{
	SpineTrack::FSkeleton Skeleton;
	const TArray<FTransform>& Local = Reference.GetRefBonePose();
	for (int32 Bone = 0; Bone < Reference.GetNum(); ++Bone)
	{
		const int32 Parent = Reference.GetParentIndex(Bone);
		const SpineTrack::FBoneFrame InParent = ToFrame(Local[Bone]);
		Skeleton.Names.push_back(SpineTrack::BodyName(TCHAR_TO_UTF8(*Reference.GetBoneName(Bone).ToString())));
		Skeleton.Parents.push_back(Parent);
		Skeleton.Rest.push_back(Parent < 0 ? InParent : Skeleton.Rest[Parent] * InParent);
	}
	return Skeleton;
}
} // namespace

ASpineTrackAvatar::ASpineTrackAvatar()
{
	Mesh = CreateDefaultSubobject<USkeletalMeshComponent>(TEXT("Mesh"));
	SetRootComponent(Mesh);
	Mesh->SetMobility(EComponentMobility::Movable);
	Mesh->SetCollisionEnabled(ECollisionEnabled::NoCollision);
	Mesh->VisibilityBasedAnimTickOption = EVisibilityBasedAnimTickOption::AlwaysTickPoseAndRefreshBones;
	Mesh->bEnableUpdateRateOptimizations = false;
	Mesh->SetBoundsScale(RoomForPoses);
}

void ASpineTrackAvatar::Wear(USkeletalMesh* InMesh, const FString& InAsset)
{
	Asset = InAsset;
	Mesh->SetSkeletalMeshAsset(InMesh);
	Mesh->SetForcedLOD(1);
	Mesh->SetAnimationMode(EAnimationMode::AnimationBlueprint);
	Mesh->SetAnimInstanceClass(USpineTrackAnimInstance::StaticClass());
	Skeleton = ReadSkeleton(InMesh->GetRefSkeleton());
}

bool ASpineTrackAvatar::SetPose(
	const std::map<std::string, SpineTrack::FBoneFrame>& InBodies, FString& OutError)
{
	for (const auto& Body : InBodies)
	{
		if (SpineTrack::FindBone(Skeleton, Body.first) < 0)
		{
			OutError = FString::Printf(TEXT("%s has no bone %s"), *Asset, UTF8_TO_TCHAR(Body.first.c_str()));
			return false;
		}
	}
	Bodies = InBodies;
	if (!Apply())
	{
		OutError = FString::Printf(TEXT("%s cannot be posed without %s"), *Asset, UTF8_TO_TCHAR(RootBody));
		return false;
	}
	return true;
}

void ASpineTrackAvatar::SetFingers(const std::map<std::string, double>& InBends)
{
	Bends = InBends;
	Apply(); // fingers of somebody who has no pose yet bend with the first one
}

bool ASpineTrackAvatar::Apply()
{
	USpineTrackAnimInstance* Anim = Cast<USpineTrackAnimInstance>(Mesh->GetAnimInstance());
	const int Root = SpineTrack::FindBone(Skeleton, RootBody);
	const auto RootFrame = Bodies.find(RootBody);
	if (Anim == nullptr || Root < 0 || RootFrame == Bodies.end())
	{
		return false;
	}
	// The actor goes with the pelvis, so that bounds and culling do; bones are given in its space.
	const SpineTrack::FVec Origin = RootFrame->second.Location - Skeleton.Rest[Root].Location;
	std::map<std::string, SpineTrack::FBoneFrame> Component(Bodies);
	for (auto& Body : Component)
	{
		Body.second.Location = Body.second.Location - Origin;
	}
	TArray<FTransform> Pose;
	for (const SpineTrack::FBoneFrame& Local :
		SpineTrack::InParents(Skeleton, SpineTrack::Posed(Skeleton, Component, Bends)))
	{
		Pose.Add(ToTransform(Local));
	}
	SetActorLocationAndRotation(FVector(Origin.X, Origin.Y, Origin.Z), FQuat::Identity);
	Anim->SetPose(MoveTemp(Pose));
	Refresh();
	return true;
}

std::map<std::string, SpineTrack::FBoneFrame> ASpineTrackAvatar::GetPose() const
{
	std::map<std::string, SpineTrack::FBoneFrame> Drawn;
	std::vector<bool> bInBody(Skeleton.Names.size(), false);
	for (std::size_t Bone = 0; Bone < Skeleton.Names.size(); ++Bone)
	{
		const std::string& Name = Skeleton.Names[Bone];
		const int Parent = Skeleton.Parents[Bone];
		// An importer may put bones of its own above the pelvis.
		bInBody[Bone] = Name == RootBody || (Parent >= 0 && bInBody[Parent]);
		if (bInBody[Bone] && !SpineTrack::IsSwing(Name) && !SpineTrack::IsFinger(Name))
		{
			Drawn[Name] = ToFrame(Mesh->GetBoneTransform(static_cast<int32>(Bone)));
		}
	}
	return Drawn;
}

void ASpineTrackAvatar::Refresh()
{
	// The game is paused while pictures are taken: nothing ticks the component but this.
	Mesh->TickAnimation(0.0f, false);
	Mesh->RefreshBoneTransforms();
	Mesh->UpdateComponentToWorld();
	Mesh->FinalizeBoneTransform();
	Mesh->MarkRenderTransformDirty();
	Mesh->MarkRenderDynamicDataDirty();
}
