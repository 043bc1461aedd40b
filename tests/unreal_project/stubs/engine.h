// The names of Unreal Engine 5 and UnrealCV that unreal_project/ uses, as far as it uses them.
//
// Declarations without bodies, written down from documentation and from public code that uses them.
// A file that compiles against this is C++ without typing mistakes that agrees with itself and with
// these signatures; whether they are the engine's own is for the engine to say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

using int32 = std::int32_t;
using uint8 = std::uint8_t;
using TCHAR = char16_t;

#define TEXT(Text) TEXT_PASTE(Text)
#define TEXT_PASTE(Text) u##Text
#define SPINETRACKSYNTH_API
#define UCLASS(...)
#define UPROPERTY(...)
#define GENERATED_BODY()
#define IMPLEMENT_PRIMARY_GAME_MODULE(Class, Name, Title) Class Module##Name;

// Core

template <typename T> struct TRemoveReference { using Type = std::remove_reference_t<T>; };
template <typename T> typename TRemoveReference<T>::Type&& MoveTemp(T&& Value);

class FString
{
public:
	FString();
	FString(const TCHAR* Text);
	FString(const char* Text);
	const TCHAR* operator*() const;
	FString Replace(const TCHAR* From, const TCHAR* To) const;
	void Empty();
	template <typename... T> static FString Printf(const TCHAR* Format, T... Values)
	{
		static_assert((std::is_trivially_copyable_v<T> && ...), "only numbers and text go to Printf");
		return FString();
	}
	template <typename TStrings> static FString Join(const TStrings& Strings, const TCHAR* Separator);
};
FString operator+(const FString& A, const FString& B);
FString operator+(const FString& A, const TCHAR* B);
FString operator+(const TCHAR* A, const FString& B);
bool operator==(const FString& A, const FString& B);
bool operator==(const FString& A, const TCHAR* B);

const char* TCHAR_TO_UTF8(const TCHAR* Text);
const TCHAR* UTF8_TO_TCHAR(const char* Text);

class FName
{
public:
	FName();
	explicit FName(const TCHAR* Text);
	FString ToString() const;
};

template <typename T> class TArray
{
public:
	int32 Num() const;
	void Add(T Item);
	void Empty();
	bool IsValidIndex(int32 Index) const;
	T& operator[](int32 Index);
	const T& operator[](int32 Index) const;
	T* begin();
	T* end();
	const T* begin() const;
	const T* end() const;
};

template <typename K, typename V> struct TPair
{
	K Key;
	V Value;
};

template <typename K, typename V> class TMap
{
public:
	const TPair<K, V>* begin() const;
	const TPair<K, V>* end() const;
};

template <typename T> class TSharedPtr
{
public:
	TSharedPtr();
	TSharedPtr(std::nullptr_t);
	bool IsValid() const;
	T* operator->() const;
	T& operator*() const;
};

template <typename T> class TSharedRef
{
};

template <typename T> class TWeakObjectPtr
{
public:
	TWeakObjectPtr();
	template <typename U> TWeakObjectPtr(U* Object) { static_assert(std::is_base_of_v<T, U> || sizeof(U) != 0); }
	bool IsValid() const;
	T* operator->() const;
	T* Get() const;
};

template <typename T> class TObjectPtr
{
public:
	TObjectPtr();
	TObjectPtr(T* Object);
	T* operator->() const;
	operator T*() const;
};

struct FVector
{
	FVector(double X, double Y, double Z);
	static const FVector ZeroVector;
	double X, Y, Z;
	double Size() const;
	FVector operator-() const;
	struct FRotator Rotation() const;
};

struct FRotator
{
	FRotator(double Pitch, double Yaw, double Roll);
	static const FRotator ZeroRotator;
};

struct FQuat
{
	FQuat(double X, double Y, double Z, double W);
	static const FQuat Identity;
	double X, Y, Z, W;
};

struct FTransform
{
	FTransform();
	FTransform(const FQuat& Rotation, const FVector& Translation);
	FQuat GetRotation() const;
	FVector GetLocation() const;
};

struct FMatrix
{
	FRotator Rotator() const;
};

struct FRotationMatrix
{
	static FMatrix MakeFromXY(const FVector& X, const FVector& Y);
};

struct FColor
{
	FColor(uint8 R, uint8 G, uint8 B, uint8 A = 255);
};

struct FLinearColor
{
	FLinearColor(float R, float G, float B, float A = 1.0f);
};

struct FMath
{
	static double Abs(double Value);
	static double Max(double A, double B);
	static double DegreesToRadians(double Degrees);
};

// Objects

enum ERenameFlags { REN_None, REN_DontCreateRedirectors };

class UClass;

class UObject
{
public:
	virtual ~UObject();
	static UClass* StaticClass();
	FString GetName() const;
	bool Rename(const TCHAR* NewName = nullptr, UObject* NewOuter = nullptr, ERenameFlags Flags = REN_None);
};

bool IsValid(const UObject* Object);
UObject* StaticFindObjectFast(UClass* Class, UObject* Outer, FName Name);
template <typename T> T* LoadObject(UObject* Outer, const TCHAR* Path);
template <typename To, typename From> To* Cast(From* Object);
template <typename To, typename From> To* CastChecked(From* Object);

namespace EComponentMobility
{
enum Type { Static, Stationary, Movable };
}

class USceneComponent : public UObject
{
public:
	void SetMobility(EComponentMobility::Type Mobility);
	void UpdateComponentToWorld();
};

class AActor : public UObject
{
public:
	bool Destroy();
	bool ActorHasTag(FName Tag) const;
	bool ActorHasTag(const TCHAR* Tag) const;
	void SetActorScale3D(FVector Scale);
	bool SetActorLocationAndRotation(FVector Location, const FQuat& Rotation);
	bool SetRootComponent(USceneComponent* Component);
	template <typename T> T* CreateDefaultSubobject(FName Name);
	template <typename T> T* CreateDefaultSubobject(const TCHAR* Name);
	template <typename T> T* FindComponentByClass() const;
};

// Meshes and bones

namespace ECollisionEnabled
{
enum Type { NoCollision };
}
namespace EAnimationMode
{
enum Type { AnimationBlueprint };
}
enum class EVisibilityBasedAnimTickOption : uint8 { AlwaysTickPoseAndRefreshBones };

class FReferenceSkeleton
{
public:
	int32 GetNum() const;
	int32 GetParentIndex(int32 Bone) const;
	FName GetBoneName(int32 Bone) const;
	const TArray<FTransform>& GetRefBonePose() const;
};

class USkeletalMesh : public UObject
{
public:
	const FReferenceSkeleton& GetRefSkeleton() const;
};

class UStaticMesh : public UObject
{
};

class UAnimInstance;

class UPrimitiveComponent : public USceneComponent
{
public:
	void SetCollisionEnabled(ECollisionEnabled::Type Enabled);
	void SetBoundsScale(float Scale = 1.0f);
	void MarkRenderTransformDirty();
	void MarkRenderDynamicDataDirty();
};

class USkeletalMeshComponent : public UPrimitiveComponent
{
public:
	EVisibilityBasedAnimTickOption VisibilityBasedAnimTickOption;
	uint8 bEnableUpdateRateOptimizations : 1;
	void SetSkeletalMeshAsset(USkeletalMesh* Mesh);
	void SetForcedLOD(int32 LevelPlusOne);
	void SetAnimationMode(EAnimationMode::Type Mode);
	void SetAnimInstanceClass(UClass* Class);
	UAnimInstance* GetAnimInstance() const;
	FTransform GetBoneTransform(int32 Bone) const;
	void TickAnimation(float DeltaTime, bool bNeedsValidRootMotion);
	void RefreshBoneTransforms();
	void FinalizeBoneTransform();
};

class UStaticMeshComponent : public UPrimitiveComponent
{
public:
	bool SetStaticMesh(UStaticMesh* Mesh);
};

class AStaticMeshActor : public AActor
{
public:
	static UClass* StaticClass();
	void SetMobility(EComponentMobility::Type Mobility);
	UStaticMeshComponent* GetStaticMeshComponent() const;
};

// Animation

struct FMeshPoseBoneIndex
{
	int32 GetInt() const;
};
struct FCompactPoseBoneIndex
{
};
struct FBoneIndices
{
	const FCompactPoseBoneIndex* begin() const;
	const FCompactPoseBoneIndex* end() const;
};
struct FBoneContainer
{
	FMeshPoseBoneIndex MakeMeshPoseIndex(const FCompactPoseBoneIndex& Index) const;
};
struct FCompactPose
{
	const FBoneContainer& GetBoneContainer() const;
	FBoneIndices ForEachBoneIndex() const;
	FTransform& operator[](const FCompactPoseBoneIndex& Index);
};
struct FPoseContext
{
	FCompactPose Pose;
	void ResetToRefPose();
};

struct FAnimInstanceProxy
{
	FAnimInstanceProxy();
	FAnimInstanceProxy(UAnimInstance* Instance);
	virtual ~FAnimInstanceProxy();
	virtual void PreUpdate(UAnimInstance* Instance, float DeltaSeconds);
	virtual bool Evaluate(FPoseContext& Output);
};

class UAnimInstance : public UObject
{
protected:
	virtual FAnimInstanceProxy* CreateAnimInstanceProxy();
	virtual void DestroyAnimInstanceProxy(FAnimInstanceProxy* Proxy);
};

// Worlds

class ULevel : public UObject
{
public:
	TArray<TObjectPtr<AActor>> Actors;
};

enum class ESpawnActorCollisionHandlingMethod : uint8 { Undefined, AlwaysSpawn };
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
	ESpawnActorNameMode NameMode;
	ESpawnActorCollisionHandlingMethod SpawnCollisionHandlingOverride;
};

class UWorld : public UObject
{
public:
	TObjectPtr<ULevel> PersistentLevel;
	void FlushLevelStreaming(EFlushLevelStreamingType Type = EFlushLevelStreamingType::Full);
	template <typename T>
	T* SpawnActor(UClass* Class, const FVector& Location, const FRotator& Rotation, const FActorSpawnParameters& Parameters);
};

template <typename T> class TActorIterator
{
public:
	explicit TActorIterator(UWorld* World);
	explicit operator bool() const;
	void operator++();
	T* operator*() const;
	T* operator->() const;
};

class ULevelStreaming : public UObject
{
public:
	uint8 bShouldBlockOnLoad : 1;
	void SetIsRequestingUnloadAndRemoval(bool bUnload);
	ULevel* GetLoadedLevel() const;
};

class ULevelStreamingDynamic : public ULevelStreaming
{
public:
	static ULevelStreamingDynamic* LoadLevelInstance(UObject* WorldContextObject, FString LevelName,
		FVector Location, FRotator Rotation, bool& bOutSuccess);
};

// Lights

enum class ELightUnits : uint8 { Unitless, Candelas, Lumens };
enum ESkyLightSourceType { SLS_CapturedScene, SLS_SpecifiedCubemap };

class UTextureCube : public UObject
{
};

class ULightComponent : public USceneComponent
{
public:
	void SetIntensity(float Intensity);
	void SetLightColor(FLinearColor Color, bool bSRGB = true);
};

class URectLightComponent : public ULightComponent
{
public:
	void SetIntensityUnits(ELightUnits Units);
	void SetAttenuationRadius(float Radius);
	void SetSourceWidth(float Width);
	void SetSourceHeight(float Height);
	void SetBarnDoorLength(float Length);
};

class UDirectionalLightComponent : public ULightComponent
{
public:
	void SetAtmosphereSunLight(bool bSun);
};

class USkyLightComponent : public USceneComponent
{
public:
	ESkyLightSourceType SourceType;
	bool bLowerHemisphereIsBlack;
	void SetIntensity(float Intensity);
	void SetLightColor(FLinearColor Color);
	void SetCubemap(UTextureCube* Cubemap);
	void SetRealTimeCapture(bool bCapture);
	void RecaptureSky();
};

class USkyAtmosphereComponent : public USceneComponent
{
public:
	void SetSkyLuminanceFactor(FLinearColor Factor);
	void SetMieScatteringScale(float Scale);
};

class ALight : public AActor
{
public:
	ULightComponent* GetLightComponent() const;
};

class ADirectionalLight : public ALight
{
public:
	static UClass* StaticClass();
};

class ARectLight : public ALight
{
public:
	static UClass* StaticClass();
	TObjectPtr<URectLightComponent> RectLightComponent;
};

class ASkyLight : public AActor
{
public:
	static UClass* StaticClass();
	USkyLightComponent* GetLightComponent() const;
};

class ASkyAtmosphere : public AActor
{
public:
	static UClass* StaticClass();
};

// JSON

class FJsonObject;

class FJsonValue
{
public:
	bool TryGetNumber(double& Number) const;
	bool TryGetArray(const TArray<TSharedPtr<FJsonValue>>*& Array) const;
	bool TryGetObject(const TSharedPtr<FJsonObject>*& Object) const;
};

class FJsonObject
{
public:
	TMap<FString, TSharedPtr<FJsonValue>> Values;
	TSharedPtr<FJsonValue> TryGetField(const FString& Field) const;
	bool TryGetStringField(const FString& Field, FString& String) const;
	bool TryGetNumberField(const FString& Field, double& Number) const;
	bool TryGetArrayField(const FString& Field, const TArray<TSharedPtr<FJsonValue>>*& Array) const;
};

template <typename TChar = TCHAR> class TJsonReader
{
};
template <typename TChar = TCHAR> struct TJsonReaderFactory
{
	static TSharedRef<TJsonReader<TChar>> Create(const FString& Text);
};
struct FJsonSerializer
{
	template <typename TChar>
	static bool Deserialize(const TSharedRef<TJsonReader<TChar>>& Reader, TSharedPtr<FJsonValue>& Value);
};

// The project

struct FPackageName
{
	static bool DoesPackageExist(const FString& Package);
};
struct FApp
{
	static const TCHAR* GetProjectName();
};
struct FEngineVersion
{
	static const FEngineVersion& Current();
	FString ToString() const;
};
struct FConfigCacheIni
{
	bool GetString(const TCHAR* Section, const TCHAR* Key, FString& Value, const FString& File);
};
extern FConfigCacheIni* GConfig;
extern FString GGameIni;
struct FPluginDescriptor
{
	FString VersionName;
};
class IPlugin
{
public:
	const FPluginDescriptor& GetDescriptor() const;
};
class IPluginManager
{
public:
	static IPluginManager& Get();
	TSharedPtr<IPlugin> FindPlugin(const FString& Name);
};
class FDefaultGameModuleImpl
{
public:
	virtual ~FDefaultGameModuleImpl();
	virtual void StartupModule();
};

// UnrealCV

class FExecStatus
{
public:
	static FExecStatus OK(const FString& Message = TEXT(""));
	static FExecStatus Error(const FString& Message);
	static const FExecStatus InvalidArgument;
};

class FDispatcherDelegate
{
public:
	template <typename T>
	static FDispatcherDelegate CreateRaw(T* Object, FExecStatus (T::*Handler)(const TArray<FString>&));
};

class FCommandDispatcher
{
public:
	bool BindCommand(const FString& UriTemplate, const FDispatcherDelegate& Command, const FString& Description);
};

class FUnrealcvServer
{
public:
	static FUnrealcvServer& Get();
	UWorld* GetWorld() const;
	TSharedPtr<FCommandDispatcher> GetCommandDispatcher() const;
};

class FActorController
{
public:
	FActorController(AActor* Actor);
	void SetAnnotationColor(const FColor& Color);
};
