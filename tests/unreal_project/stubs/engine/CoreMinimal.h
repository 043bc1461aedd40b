#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

using int32 = std::int32_t;
using uint8 = std::uint8_t;
using uint32 = std::uint32_t;
using ANSICHAR = char;
using TCHAR = char16_t;

#define TEXT_PASTE(Text) u##Text
#define TEXT(Text) TEXT_PASTE(Text)

bool IsRunningCommandlet();

template <typename T> std::remove_reference_t<T>&& MoveTemp(T&& Value);

class FString
{
public:
	FString();
	FString(const TCHAR* Text);
	FString(const ANSICHAR* Text);
	const TCHAR* operator*() const;
	FString Replace(const TCHAR* From, const TCHAR* To) const;
	void Empty(int32 Slack = 0);
	template <std::size_t Length, typename... Types>
	static FString Printf(const TCHAR (&)[Length], Types...)
	{
		static_assert(Length > 0 && (std::is_trivially_copyable_v<Types> && ...), "numbers and text only");
		return FString();
	}
	template <typename RangeType> static FString Join(const RangeType& Range, const TCHAR* Separator);
};
FString operator+(const FString& A, const FString& B);
FString operator+(const FString& A, const TCHAR* B);
FString operator+(const TCHAR* A, const FString& B);
bool operator==(const FString& A, const FString& B);
bool operator==(const FString& A, const TCHAR* B);

class FStringView
{
public:
	FStringView(const TCHAR* Text);
	FStringView(const FString& Text);
};

const ANSICHAR* TCHAR_TO_UTF8(const TCHAR* Text);
const TCHAR* UTF8_TO_TCHAR(const ANSICHAR* Text);

class FName
{
public:
	FName();
	FName(const TCHAR* Name);
	FString ToString() const;
};

template <typename T> class TArray
{
public:
	int32 Num() const;
	int32 Add(const T& Item);
	void Empty(int32 Slack = 0);
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
	TSharedPtr(std::nullptr_t = nullptr);
	bool IsValid() const;
	T* operator->() const;
	T& operator*() const;
};

template <typename T> class TSharedRef
{
};

template <typename Signature> class TDelegate;
template <typename R, typename... Args> class TDelegate<R(Args...)>
{
public:
	template <typename T> static TDelegate CreateRaw(T* Object, R (T::*Function)(Args...));
};
#define DECLARE_DELEGATE_RetVal_OneParam(RetVal, Name, Param1) typedef TDelegate<RetVal(Param1)> Name;

template <typename T> struct TObjectPtr
{
	TObjectPtr();
	TObjectPtr(T* Object);
	T* operator->() const;
	operator T*() const;
};

class UObject;
class UClass;
class AActor;
class UWorld;

struct FVector
{
	FVector(double InX, double InY, double InZ);
	static const FVector ZeroVector;
	double X, Y, Z;
	double Size() const;
	FVector operator-() const;
	struct FRotator Rotation() const;
};

struct FRotator
{
	FRotator(double InPitch, double InYaw, double InRoll);
	static const FRotator ZeroRotator;
};

struct FQuat
{
	FQuat(double InX, double InY, double InZ, double InW);
	static const FQuat Identity;
	double X, Y, Z, W;
};

struct FTransform
{
	FTransform();
	FTransform(const FQuat& InRotation, const FVector& InTranslation);
	FQuat GetRotation() const;
	FVector GetLocation() const;
};

struct FMatrix
{
	FRotator Rotator() const;
};

struct FRotationMatrix : public FMatrix
{
	static FMatrix MakeFromXY(const FVector& XAxis, const FVector& YAxis);
};

struct FColor
{
	FColor(uint8 InR, uint8 InG, uint8 InB, uint8 InA = 255);
};

struct FLinearColor
{
	FLinearColor(float InR, float InG, float InB, float InA = 1.0f);
};

struct FMath
{
	template <typename T> static T Abs(T A);
	template <typename T> static T Max(T A, T B);
	static double DegreesToRadians(double Degrees);
};

template <std::size_t Length, typename... Types> void StubLog(const TCHAR (&)[Length], Types...) {}
#define DEFINE_LOG_CATEGORY_STATIC(Category, Default, CompileTime) struct F##Category {}
#define UE_LOG(Category, Verbosity, Format, ...) \
	do \
	{ \
		(void)sizeof(F##Category); \
		StubLog(Format, __VA_ARGS__); \
	} while (false)
