#pragma once

#include "Engine/EngineTypes.h"
#include "UObject/Object.h"

class ULevel;

enum class EFlushLevelStreamingType : uint8 { None, Full, Visibility };

struct FActorSpawnParameters
{
	enum class ESpawnActorNameMode : uint8
	{
		Required_Fatal,
		Required_ErrorAndReturnNull,
		Required_ReturnNull,
		Requested
	};
	FActorSpawnParameters();
	FName Name;
	ESpawnActorCollisionHandlingMethod SpawnCollisionHandlingOverride;
	ESpawnActorNameMode NameMode;
};

class UWorld : public UObject
{
public:
	TObjectPtr<ULevel> PersistentLevel;
	void FlushLevelStreaming(EFlushLevelStreamingType FlushType = EFlushLevelStreamingType::Full);
	template <typename T>
	T* SpawnActor(UClass* Class, const FVector& Location, const FRotator& Rotation,
		const FActorSpawnParameters& SpawnParameters = FActorSpawnParameters());
};
