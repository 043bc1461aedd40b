#pragma once

#include "CoreMinimal.h"
#include "GameFramework/Actor.h"

#include <map>
#include <string>

#include "Frames.h"
#include "SpineTrackAvatar.generated.h"

class USkeletalMesh;
class USkeletalMeshComponent;

/**
 * A person whose bones are the bodies of an OpenSim model.
 *
 * The mesh is an ordinary USkeletalMeshComponent, so that UnrealCV's masks and depth show the pose.
 */
UCLASS()
class SPINETRACKSYNTH_API ASpineTrackAvatar : public AActor
{
	GENERATED_BODY()

public:
	ASpineTrackAvatar();

	/** Put on an imported avatar, at rest. */
	void Wear(USkeletalMesh* InMesh, const FString& InAsset);

	/** Put bodies where they are in the world, at once; false, with the reason, where one is no bone. */
	bool SetPose(const std::map<std::string, SpineTrack::FBoneFrame>& InBodies, FString& OutError);

	/** Bend knuckles from rest, rad, at once; all others go back to rest. */
	void SetFingers(const std::map<std::string, double>& InBends);

	/** The bodies in the world as the component draws them. */
	std::map<std::string, SpineTrack::FBoneFrame> GetPose() const;

	const FString& GetAsset() const { return Asset; }

private:
	UPROPERTY()
	TObjectPtr<USkeletalMeshComponent> Mesh;

	FString Asset;
	SpineTrack::FSkeleton Skeleton;
	std::map<std::string, SpineTrack::FBoneFrame> Bodies;
	std::map<std::string, double> Bends;

	bool Apply();
	void Refresh();
};
