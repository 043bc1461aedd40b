#pragma once

#include "CoreMinimal.h"
#include "Server/ExecStatus.h"
#include "UObject/WeakObjectPtrTemplates.h"

class AActor;
class ASpineTrackAvatar;
class ULevelStreamingDynamic;
class UWorld;

/**
 * The project's own commands on UnrealCV's dispatcher.
 *
 * Arguments and replies are in Unreal's axes and cm; JSON comes and goes without spaces.
 */
class FSpineTrackCommands
{
public:
	void Register();

private:
	using FArgs = TArray<FString>;

	FExecStatus ListAvatars(const FArgs& Args);
	FExecStatus SpawnAvatar(const FArgs& Args);
	FExecStatus SetPose(const FArgs& Args);
	FExecStatus GetPose(const FArgs& Args);
	FExecStatus SetFingers(const FArgs& Args);
	FExecStatus SetPlace(const FArgs& Args);
	FExecStatus GetPlace(const FArgs& Args);
	FExecStatus SetThings(const FArgs& Args);
	FExecStatus SetLights(const FArgs& Args);
	FExecStatus GetProject(const FArgs& Args);

	void Bind(const TCHAR* Uri, FExecStatus (FSpineTrackCommands::*Handler)(const FArgs&), const TCHAR* Help);
	ASpineTrackAvatar* FindAvatar(const FString& Name) const;

	FString Place;
	TWeakObjectPtr<ULevelStreamingDynamic> PlaceLevel;
	TArray<TWeakObjectPtr<AActor>> Things;
	TArray<TWeakObjectPtr<AActor>> Lights;
};
