#include "SpineTrackCommands.h"

#include "Controller/ActorController.h"
#include "Dom/JsonObject.h"
#include "Engine/Level.h"
#include "Engine/LevelStreamingDynamic.h"
#include "Engine/SkeletalMesh.h"
#include "Engine/StaticMesh.h"
#include "Engine/StaticMeshActor.h"
#include "Engine/World.h"
#include "EngineUtils.h"
#include "Interfaces/IPluginManager.h"
#include "Components/StaticMeshComponent.h"
#include "Misc/App.h"
#include "Misc/ConfigCacheIni.h"
#include "Misc/EngineVersion.h"
#include "Misc/PackageName.h"
#include "Serialization/JsonReader.h"
#include "Serialization/JsonSerializer.h"
#include "Server/CommandDispatcher.h"
#include "Server/UnrealcvServer.h"
#include "SpineTrackAssets.h"
#include "SpineTrackAvatar.h"
#include "SpineTrackLights.h"

DEFINE_LOG_CATEGORY_STATIC(LogSpineTrack, Log, All);

namespace
{
/** Actors that a place's level holds for those who look at it in the editor, and no picture does. */
const TCHAR* const PreviewTag = TEXT("SpineTrackPreview");

/** The surroundings' colour in masks: what nobody is. */
const FColor Surroundings(0, 0, 0);

FString AssetName(const FString& Key)
{
	return Key.Replace(TEXT("/"), TEXT("_"));
}

/** The import gives every asset a folder of its own, named as the asset. */
FString AssetPath(const TCHAR* Kind, const FString& Key)
{
	const FString Name = AssetName(Key);
	return FString::Printf(TEXT("/Game/SpineTrack/%s/%s/%s.%s"), Kind, *Name, *Name, *Name);
}

/** A destroyed actor keeps its name until garbage is collected: take it away. */
bool FreeName(UWorld* World, const FString& Name)
{
	UObject* Holder = StaticFindObjectFast(UObject::StaticClass(), World->PersistentLevel, FName(*Name));
	if (Holder == nullptr)
	{
		return true;
	}
	return !IsValid(Holder) && Holder->Rename(nullptr, nullptr, REN_DontCreateRedirectors);
}

/** UnrealCV leaves actors out of masks and depth until they have a colour. */
void Annotate(AActor* Actor)
{
	FActorController(Actor).SetAnnotationColor(Surroundings);
}

void DestroyAll(TArray<TWeakObjectPtr<AActor>>& Actors)
{
	for (const TWeakObjectPtr<AActor>& Actor : Actors)
	{
		if (Actor.IsValid())
		{
			Actor->Destroy();
		}
	}
	Actors.Empty();
}

/** Numbers of a JSON array; empty where it is none, or not so many. */
TArray<double> Numbers(const TSharedPtr<FJsonValue>& Value, int32 Count)
{
	TArray<double> Found;
	const TArray<TSharedPtr<FJsonValue>>* Items = nullptr;
	if (Value.IsValid() && Value->TryGetArray(Items) && Items->Num() == Count)
	{
		for (const TSharedPtr<FJsonValue>& Item : *Items)
		{
			double Number = 0.0;
			if (!Item->TryGetNumber(Number))
			{
				return TArray<double>();
			}
			Found.Add(Number);
		}
	}
	return Found;
}

TSharedPtr<FJsonValue> ReadJson(const FString& Text)
{
	TSharedPtr<FJsonValue> Value;
	FJsonSerializer::Deserialize(TJsonReaderFactory<>::Create(Text), Value);
	return Value;
}

/** A name as it may stand between the quotes of JSON. */
FString Quoted(const FString& Text)
{
	return TEXT("\"") + Text.Replace(TEXT("\\"), TEXT("\\\\")).Replace(TEXT("\""), TEXT("\\\"")) + TEXT("\"");
}
} // namespace

void FSpineTrackCommands::Bind(
	const TCHAR* Uri, FExecStatus (FSpineTrackCommands::*Handler)(const FArgs&), const TCHAR* Help)
{
	const FDispatcherDelegate Command = FDispatcherDelegate::CreateRaw(this, Handler);
	if (!FUnrealcvServer::Get().GetCommandDispatcher()->BindCommand(Uri, Command, Help))
	{
		UE_LOG(LogSpineTrack, Error, TEXT("UnrealCV did not take the command %s"), Uri);
	}
}

void FSpineTrackCommands::Register()
{
	Bind(TEXT("vget /avatars"), &FSpineTrackCommands::ListAvatars, TEXT("The avatars that stand in the level, as JSON"));
	Bind(TEXT("vset /avatars/spawn [str] [str]"), &FSpineTrackCommands::SpawnAvatar,
		TEXT("Spawn the imported avatar [asset] as actor [name]"));
	Bind(TEXT("vset /avatar/[str]/pose [str]"), &FSpineTrackCommands::SetPose,
		TEXT("Put the bodies of an avatar where they are in the world: {\"pelvis\":[x,y,z,qx,qy,qz,qw],...}"));
	Bind(TEXT("vget /avatar/[str]/pose"), &FSpineTrackCommands::GetPose,
		TEXT("The bodies of an avatar in the world, as they are drawn"));
	Bind(TEXT("vset /avatar/[str]/fingers [str]"), &FSpineTrackCommands::SetFingers,
		TEXT("Bend the knuckles: [[15 degrees of the right hand],[15 of the left]], thumb first"));
	Bind(TEXT("vset /place/[str]/[uint]"), &FSpineTrackCommands::SetPlace, TEXT("Surroundings: a place and its variant"));
	Bind(TEXT("vget /place"), &FSpineTrackCommands::GetPlace, TEXT("The place and its variant"));
	Bind(TEXT("vset /things [str]"), &FSpineTrackCommands::SetThings,
		TEXT("Replace the things: [{\"asset\":\"mat/3\",\"location\":[x,y,z],\"yaw\":deg,\"scale\":[a,b,c]},...], with \"pitch\" and \"roll\" where tilted"));
	Bind(TEXT("vset /lights [str]"), &FSpineTrackCommands::SetLights,
		TEXT("Replace the lights: {\"lights\":[{\"type\":\"sun\",...},...],\"exposure\":1}"));
	Bind(TEXT("vget /project"), &FSpineTrackCommands::GetProject, TEXT("Names and versions, as JSON"));
}

// Avatars

ASpineTrackAvatar* FSpineTrackCommands::FindAvatar(const FString& Name) const
{
	for (TActorIterator<ASpineTrackAvatar> It(FUnrealcvServer::Get().GetWorld()); It; ++It)
	{
		if (It->GetName() == Name)
		{
			return *It;
		}
	}
	return nullptr;
}

FExecStatus FSpineTrackCommands::ListAvatars(const FArgs& /*Args*/)
{
	TArray<FString> Entries;
	for (TActorIterator<ASpineTrackAvatar> It(FUnrealcvServer::Get().GetWorld()); It; ++It)
	{
		Entries.Add(FString::Printf(
			TEXT("{\"name\":%s,\"asset\":%s}"), *Quoted(It->GetName()), *Quoted(It->GetAsset())));
	}
	return FExecStatus::OK(TEXT("[") + FString::Join(Entries, TEXT(",")) + TEXT("]"));
}

FExecStatus FSpineTrackCommands::SpawnAvatar(const FArgs& Args)
{
	if (Args.Num() != 2)
	{
		return FExecStatus::InvalidArgument;
	}
	const FString& Asset = Args[0];
	const FString& Name = Args[1];
	UWorld* World = FUnrealcvServer::Get().GetWorld();
	const FString Path = AssetPath(TEXT("Avatars"), Asset);
	USkeletalMesh* Mesh = LoadObject<USkeletalMesh>(nullptr, *Path);
	if (Mesh == nullptr)
	{
		return FExecStatus::Error(FString::Printf(TEXT("No avatar %s: import it (%s)"), *Asset, *Path));
	}
	if (!FreeName(World, Name))
	{
		return FExecStatus::Error(FString::Printf(TEXT("There is an object named %s"), *Name));
	}
	FActorSpawnParameters Parameters;
	Parameters.Name = FName(*Name);
	Parameters.NameMode = FActorSpawnParameters::ESpawnActorNameMode::Required_ErrorAndReturnNull;
	Parameters.SpawnCollisionHandlingOverride = ESpawnActorCollisionHandlingMethod::AlwaysSpawn;
	ASpineTrackAvatar* Avatar = World->SpawnActor<ASpineTrackAvatar>(
		ASpineTrackAvatar::StaticClass(), FVector::ZeroVector, FRotator::ZeroRotator, Parameters);
	if (Avatar == nullptr)
	{
		return FExecStatus::Error(FString::Printf(TEXT("%s could not be spawned"), *Name));
	}
	Avatar->Wear(Mesh, Asset);
	return FExecStatus::OK();
}

FExecStatus FSpineTrackCommands::SetPose(const FArgs& Args)
{
	if (Args.Num() != 2)
	{
		return FExecStatus::InvalidArgument;
	}
	ASpineTrackAvatar* Avatar = FindAvatar(Args[0]);
	if (Avatar == nullptr)
	{
		return FExecStatus::Error(FString::Printf(TEXT("No avatar named %s"), *Args[0]));
	}
	const TSharedPtr<FJsonValue> Value = ReadJson(Args[1]);
	const TSharedPtr<FJsonObject>* Object = nullptr;
	if (!Value.IsValid() || !Value->TryGetObject(Object))
	{
		return FExecStatus::Error(TEXT("A pose is a JSON object of bodies"));
	}
	std::map<std::string, SpineTrack::FBoneFrame> Bodies;
	for (const auto& Body : (*Object)->Values)
	{
		const FString Name(*Body.Key); // keys are of another type of string from 5.8 on
		const TArray<double> Row = Numbers(Body.Value, 7);
		const double Squared = Row.Num() == 7
			? Row[3] * Row[3] + Row[4] * Row[4] + Row[5] * Row[5] + Row[6] * Row[6]
			: 0.0;
		if (!(FMath::Abs(Squared - 1.0) < 1e-3))
		{
			return FExecStatus::Error(
				FString::Printf(TEXT("%s: seven numbers are wanted, x y z and a unit quaternion"), *Name));
		}
		Bodies[SpineTrack::BodyName(TCHAR_TO_UTF8(*Name))] = {
			SpineTrack::Unit(SpineTrack::FRotation{Row[3], Row[4], Row[5], Row[6]}), {Row[0], Row[1], Row[2]}};
	}
	FString Error;
	return Avatar->SetPose(Bodies, Error) ? FExecStatus::OK() : FExecStatus::Error(Error);
}

FExecStatus FSpineTrackCommands::GetPose(const FArgs& Args)
{
	ASpineTrackAvatar* Avatar = Args.Num() == 1 ? FindAvatar(Args[0]) : nullptr;
	if (Avatar == nullptr)
	{
		return FExecStatus::Error(FString::Printf(TEXT("No avatar named %s"), Args.Num() ? *Args[0] : TEXT("")));
	}
	TArray<FString> Entries;
	for (const auto& Body : Avatar->GetPose())
	{
		const SpineTrack::FVec& At = Body.second.Location;
		const SpineTrack::FRotation& Turn = Body.second.Rotation;
		Entries.Add(FString::Printf(TEXT("\"%s\":[%.5f,%.5f,%.5f,%.9f,%.9f,%.9f,%.9f]"),
			UTF8_TO_TCHAR(Body.first.c_str()), At.X, At.Y, At.Z, Turn.X, Turn.Y, Turn.Z, Turn.W));
	}
	return FExecStatus::OK(TEXT("{") + FString::Join(Entries, TEXT(",")) + TEXT("}"));
}

FExecStatus FSpineTrackCommands::SetFingers(const FArgs& Args)
{
	ASpineTrackAvatar* Avatar = Args.Num() == 2 ? FindAvatar(Args[0]) : nullptr;
	if (Avatar == nullptr)
	{
		return FExecStatus::Error(FString::Printf(TEXT("No avatar named %s"), Args.Num() ? *Args[0] : TEXT("")));
	}
	const TSharedPtr<FJsonValue> Value = ReadJson(Args[1]);
	const TArray<TSharedPtr<FJsonValue>>* Hands = nullptr;
	if (!Value.IsValid() || !Value->TryGetArray(Hands) || Hands->Num() != 2)
	{
		return FExecStatus::Error(TEXT("Fingers are two lists of fifteen degrees"));
	}
	std::map<std::string, double> Bends;
	for (int32 Hand = 0; Hand < 2; ++Hand)
	{
		const TArray<double> Row = Numbers((*Hands)[Hand], SpineTrack::Digits * SpineTrack::Knuckles);
		if (Row.Num() == 0)
		{
			return FExecStatus::Error(TEXT("Fingers are two lists of fifteen degrees"));
		}
		for (int32 Number = 0; Number < Row.Num(); ++Number)
		{
			const int32 Digit = Number / SpineTrack::Knuckles;
			const int32 Knuckle = Number % SpineTrack::Knuckles;
			Bends[SpineTrack::FingerName(Hand, Digit, Knuckle)] = FMath::DegreesToRadians(Row[Number]);
		}
	}
	Avatar->SetFingers(Bends);
	return FExecStatus::OK();
}

// Surroundings

FExecStatus FSpineTrackCommands::SetPlace(const FArgs& Args)
{
	if (Args.Num() != 2)
	{
		return FExecStatus::InvalidArgument;
	}
	const FString Wanted = Args[0] + TEXT(" ") + Args[1];
	if (Wanted == Place && PlaceLevel.IsValid())
	{
		return FExecStatus::OK();
	}
	const FString Package = TEXT("/Game/SpineTrack/Levels/") + Args[0] + TEXT("_") + Args[1];
	if (!FPackageName::DoesPackageExist(Package))
	{
		return FExecStatus::Error(FString::Printf(TEXT("No level %s: import the places"), *Package));
	}
	UWorld* World = FUnrealcvServer::Get().GetWorld();
	if (PlaceLevel.IsValid())
	{
		PlaceLevel->SetIsRequestingUnloadAndRemoval(true);
	}
	bool bFound = false;
	PlaceLevel = ULevelStreamingDynamic::LoadLevelInstance(
		World, Package, FVector::ZeroVector, FRotator::ZeroRotator, bFound);
	Place.Empty();
	if (bFound && PlaceLevel.IsValid())
	{
		PlaceLevel->bShouldBlockOnLoad = true;
		World->FlushLevelStreaming(EFlushLevelStreamingType::Full);
	}
	ULevel* Level = PlaceLevel.IsValid() ? PlaceLevel->GetLoadedLevel() : nullptr;
	if (Level == nullptr)
	{
		return FExecStatus::Error(FString::Printf(TEXT("%s could not be loaded"), *Package));
	}
	const auto Actors = Level->Actors; // destroying empties entries
	for (AActor* Actor : Actors)
	{
		if (Actor != nullptr && Actor->ActorHasTag(PreviewTag))
		{
			Actor->Destroy();
		}
		else if (Actor != nullptr)
		{
			Annotate(Actor);
		}
	}
	Place = Wanted;
	return FExecStatus::OK();
}

FExecStatus FSpineTrackCommands::GetPlace(const FArgs& /*Args*/)
{
	return FExecStatus::OK(Place);
}

FExecStatus FSpineTrackCommands::SetThings(const FArgs& Args)
{
	const TSharedPtr<FJsonValue> Value = Args.Num() == 1 ? ReadJson(Args[0]) : nullptr;
	const TArray<TSharedPtr<FJsonValue>>* Items = nullptr;
	if (!Value.IsValid() || !Value->TryGetArray(Items))
	{
		return FExecStatus::Error(TEXT("Things are a JSON array"));
	}
	DestroyAll(Things);
	UWorld* World = FUnrealcvServer::Get().GetWorld();
	for (const TSharedPtr<FJsonValue>& Item : *Items)
	{
		const TSharedPtr<FJsonObject>* Thing = nullptr;
		FString Asset;
		double Yaw = 0.0;
		double Pitch = 0.0;
		double Roll = 0.0;
		if (!Item->TryGetObject(Thing) || !(*Thing)->TryGetStringField(TEXT("asset"), Asset)
			|| !(*Thing)->TryGetNumberField(TEXT("yaw"), Yaw))
		{
			return FExecStatus::Error(TEXT("A thing has asset, location, yaw and scale"));
		}
		// Only what is tilted has these.
		(*Thing)->TryGetNumberField(TEXT("pitch"), Pitch);
		(*Thing)->TryGetNumberField(TEXT("roll"), Roll);
		const TArray<double> Location = Numbers((*Thing)->TryGetField(TEXT("location")), 3);
		const TArray<double> Scale = Numbers((*Thing)->TryGetField(TEXT("scale")), 3);
		UStaticMesh* Mesh = LoadObject<UStaticMesh>(nullptr, *AssetPath(TEXT("Things"), Asset));
		if (Mesh == nullptr || Location.Num() != 3 || Scale.Num() != 3)
		{
			return FExecStatus::Error(FString::Printf(TEXT("%s: no such asset, or no three numbers"), *Asset));
		}
		AStaticMeshActor* Actor = World->SpawnActor<AStaticMeshActor>(AStaticMeshActor::StaticClass(),
			FVector(Location[0], Location[1], Location[2]), FRotator(Pitch, Yaw, Roll), FActorSpawnParameters());
		if (Actor == nullptr)
		{
			return FExecStatus::Error(FString::Printf(TEXT("%s could not be spawned"), *Asset));
		}
		Actor->SetMobility(EComponentMobility::Movable);
		Actor->GetStaticMeshComponent()->SetStaticMesh(Mesh);
		Actor->SetActorScale3D(FVector(Scale[0], Scale[1], Scale[2]));
		Annotate(Actor);
		Things.Add(Actor);
	}
	return FExecStatus::OK();
}

FExecStatus FSpineTrackCommands::SetLights(const FArgs& Args)
{
	const TSharedPtr<FJsonValue> Value = Args.Num() == 1 ? ReadJson(Args[0]) : nullptr;
	const TSharedPtr<FJsonObject>* Object = nullptr;
	const TArray<TSharedPtr<FJsonValue>>* Items = nullptr;
	FShotLights Wanted;
	if (!Value.IsValid() || !Value->TryGetObject(Object) || !(*Object)->TryGetArrayField(TEXT("lights"), Items)
		|| !(*Object)->TryGetNumberField(TEXT("exposure"), Wanted.Exposure))
	{
		return FExecStatus::Error(TEXT("Lights are a JSON object of lights and exposure"));
	}
	for (const TSharedPtr<FJsonValue>& Item : *Items)
	{
		const TSharedPtr<FJsonObject>* Light = nullptr;
		FString Type;
		if (!Item->TryGetObject(Light) || !(*Light)->TryGetStringField(TEXT("type"), Type))
		{
			return FExecStatus::Error(TEXT("A light has a type"));
		}
		bool bComplete = true;
		const auto Vector = [&](const TCHAR* Field) -> SpineTrack::FVec
		{
			const TArray<double> Row = Numbers((*Light)->TryGetField(Field), 3);
			bComplete = bComplete && Row.Num() == 3;
			return Row.Num() == 3 ? SpineTrack::FVec{Row[0], Row[1], Row[2]} : SpineTrack::FVec{};
		};
		if (Type == TEXT("sun"))
		{
			SpineTrack::FSun Sun;
			Sun.Toward = Vector(TEXT("direction"));
			bComplete = bComplete && (*Light)->TryGetNumberField(TEXT("turbidity"), Sun.Turbidity)
				&& (*Light)->TryGetNumberField(TEXT("sun_scale"), Sun.SunScale)
				&& (*Light)->TryGetNumberField(TEXT("sky_scale"), Sun.SkyScale);
			Wanted.Suns.push_back(Sun);
		}
		else if (Type == TEXT("area"))
		{
			Wanted.Panels.push_back({Vector(TEXT("center")), Vector(TEXT("half_u")), Vector(TEXT("half_v")),
				Vector(TEXT("radiance"))});
		}
		else if (Type == TEXT("ambient"))
		{
			Wanted.Ambients.push_back(Vector(TEXT("radiance")));
		}
		else
		{
			return FExecStatus::Error(FString::Printf(TEXT("There is no light of type %s"), *Type));
		}
		if (!bComplete)
		{
			return FExecStatus::Error(FString::Printf(TEXT("A %s light lacks a number"), *Type));
		}
	}
	if (!Wanted.Ambients.empty() && GetDefault<USpineTrackAssets>()->EvenSurround == nullptr)
	{
		return FExecStatus::Error(TEXT("The engine's GrayLightTextureCube is not in the package: no even light"));
	}
	DestroyAll(Lights);
	Lights = SpawnLights(FUnrealcvServer::Get().GetWorld(), Wanted);
	return FExecStatus::OK();
}

// The project

FExecStatus FSpineTrackCommands::GetProject(const FArgs& /*Args*/)
{
	FString Version;
	GConfig->GetString(
		TEXT("/Script/EngineSettings.GeneralProjectSettings"), TEXT("ProjectVersion"), Version, GGameIni);
	const TSharedPtr<IPlugin> Plugin = IPluginManager::Get().FindPlugin(TEXT("UnrealCV"));
	const FString PluginVersion = Plugin.IsValid() ? Plugin->GetDescriptor().VersionName : FString();
	return FExecStatus::OK(
		FString::Printf(TEXT("{\"name\":%s,\"version\":%s,\"hash\":%s,\"engine\":%s,\"plugin\":%s}"),
			*Quoted(FApp::GetProjectName()), *Quoted(Version), *Quoted(TEXT(SPINETRACK_PROJECT_HASH)),
			*Quoted(FEngineVersion::Current().ToString()), *Quoted(PluginVersion)));
}
