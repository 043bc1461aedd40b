// Arithmetic of bones, free of the engine: frames, the twist-free helper bones, their names.
//
// Unreal's axes and cm. A frame is a rotation followed by a translation, as FTransform without
// scale; quaternions act by the formula that FQuat uses.
#pragma once

#include <cctype>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace SpineTrack
{
struct FVec
{
	double X = 0.0, Y = 0.0, Z = 0.0;
};

struct FRotation
{
	double X = 0.0, Y = 0.0, Z = 0.0, W = 1.0;
};

struct FBoneFrame
{
	FRotation Rotation;
	FVec Location;
};

inline FVec operator+(const FVec& A, const FVec& B) { return {A.X + B.X, A.Y + B.Y, A.Z + B.Z}; }
inline FVec operator-(const FVec& A, const FVec& B) { return {A.X - B.X, A.Y - B.Y, A.Z - B.Z}; }
inline FVec operator*(double S, const FVec& A) { return {S * A.X, S * A.Y, S * A.Z}; }
inline double Dot(const FVec& A, const FVec& B) { return A.X * B.X + A.Y * B.Y + A.Z * B.Z; }
inline FVec Cross(const FVec& A, const FVec& B)
{
	return {A.Y * B.Z - A.Z * B.Y, A.Z * B.X - A.X * B.Z, A.X * B.Y - A.Y * B.X};
}
inline FVec Unit(const FVec& A) { return 1.0 / std::sqrt(Dot(A, A)) * A; }

/** First B, then A. */
inline FRotation operator*(const FRotation& A, const FRotation& B)
{
	return {A.W * B.X + A.X * B.W + A.Y * B.Z - A.Z * B.Y, A.W * B.Y - A.X * B.Z + A.Y * B.W + A.Z * B.X,
		A.W * B.Z + A.X * B.Y - A.Y * B.X + A.Z * B.W, A.W * B.W - A.X * B.X - A.Y * B.Y - A.Z * B.Z};
}

inline FRotation Inverse(const FRotation& A) { return {-A.X, -A.Y, -A.Z, A.W}; }

inline FVec Rotated(const FRotation& A, const FVec& V)
{
	const FVec Axis{A.X, A.Y, A.Z};
	const FVec Twice = 2.0 * Cross(Axis, V);
	return V + A.W * Twice + Cross(Axis, Twice);
}

inline FRotation Unit(const FRotation& A)
{
	const double Length = std::sqrt(A.X * A.X + A.Y * A.Y + A.Z * A.Z + A.W * A.W);
	return {A.X / Length, A.Y / Length, A.Z / Length, A.W / Length};
}

/** First B, then A: a frame B given in A, seen from outside A. */
inline FBoneFrame operator*(const FBoneFrame& A, const FBoneFrame& B)
{
	return {A.Rotation * B.Rotation, Rotated(A.Rotation, B.Location) + A.Location};
}

inline FBoneFrame Inverse(const FBoneFrame& A)
{
	const FRotation Back = Inverse(A.Rotation);
	return {Back, -1.0 * Rotated(Back, A.Location)};
}

/** The shortest turn that takes one unit vector to another. */
inline FRotation Between(const FVec& From, const FVec& To)
{
	const double Cosine = Dot(From, To);
	if (Cosine < -1.0 + 1e-9)
	{
		// Straight back: half a turn about anything across.
		const FVec Other = std::abs(From.X) < 0.6 ? FVec{1.0, 0.0, 0.0} : FVec{0.0, 1.0, 0.0};
		const FVec Axis = Unit(Cross(From, Other));
		return {Axis.X, Axis.Y, Axis.Z, 0.0};
	}
	const FVec Axis = Cross(From, To);
	return Unit(FRotation{Axis.X, Axis.Y, Axis.Z, 1.0 + Cosine});
}

/** A skeleton at rest, parents before children: frames in the mesh's own space. */
struct FSkeleton
{
	std::vector<std::string> Names;
	std::vector<int> Parents;
	std::vector<FBoneFrame> Rest;
};

inline const std::string& SwingSuffix()
{
	static const std::string Suffix = "_swing";
	return Suffix;
}

inline bool IsSwing(const std::string& Name)
{
	const std::string& Suffix = SwingSuffix();
	return Name.size() > Suffix.size()
		&& Name.compare(Name.size() - Suffix.size(), Suffix.size(), Suffix) == 0;
}

constexpr int Digits = 5;
constexpr int Knuckles = 3;

/** Bone of a phalanx: hand 0 right or 1 left, digit 0 the thumb, knuckle 0 at the palm. */
inline std::string FingerName(int Hand, int Digit, int Knuckle)
{
	return "finger" + std::to_string(Digit + 1) + "_" + std::to_string(Knuckle + 1) + (Hand == 0 ? "_r" : "_l");
}

inline bool IsFinger(const std::string& Name) { return Name.compare(0, 6, "finger") == 0; }

/**
 * A bend of a knuckle, rad, in its own bone.
 *
 * The axis is the bone's z where it was exported, its y here; the swap of axes turns the sign.
 */
inline FBoneFrame Bent(double Angle)
{
	return {{0.0, -std::sin(Angle / 2.0), 0.0, std::cos(Angle / 2.0)}, {}};
}

/** The model's spelling of a bone, whatever the case: the engine's names do not keep theirs. */
inline std::string BodyName(std::string Name)
{
	for (char& Letter : Name)
	{
		Letter = static_cast<char>(std::tolower(static_cast<unsigned char>(Letter)));
	}
	const bool bVertebra = Name.size() > 1 && Name.find_first_not_of("0123456789", 1) == std::string::npos
		&& (Name[0] == 'l' || Name[0] == 't' || Name[0] == 'c');
	if (bVertebra)
	{
		Name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(Name[0])));
	}
	return Name;
}

inline int FindBone(const FSkeleton& Skeleton, const std::string& Name)
{
	for (std::size_t Bone = 0; Bone < Skeleton.Names.size(); ++Bone)
	{
		if (Skeleton.Names[Bone] == Name)
		{
			return static_cast<int>(Bone);
		}
	}
	return -1;
}

inline int FirstChild(const FSkeleton& Skeleton, int Parent)
{
	for (std::size_t Bone = 0; Bone < Skeleton.Names.size(); ++Bone)
	{
		if (Skeleton.Parents[Bone] == Parent && !IsSwing(Skeleton.Names[Bone]))
		{
			return static_cast<int>(Bone);
		}
	}
	return -1;
}

/**
 * Where a limb's helper is: it turns with the limb but not about the limb's own long axis.
 *
 * The axis runs at rest from the limb's joint to the next one. All frames in one space.
 */
inline FBoneFrame Swing(const FBoneFrame& ParentRest, const FBoneFrame& LimbRest, const FVec& NextJointRest,
	const FBoneFrame& Parent, const FBoneFrame& Limb)
{
	const FBoneFrame ParentMotion = Parent * Inverse(ParentRest);
	const FBoneFrame Relative = Inverse(ParentMotion) * (Limb * Inverse(LimbRest));
	const FVec Axis = Unit(NextJointRest - LimbRest.Location);
	const FRotation Turn = Between(Axis, Rotated(Relative.Rotation, Axis));
	const FVec Joint = Rotated(Relative.Rotation, LimbRest.Location) + Relative.Location;
	return ParentMotion * FBoneFrame{Turn * LimbRest.Rotation, Joint};
}

/**
 * All bones where some bodies are given and some knuckles bent (rad): helpers swing with their
 * limbs, the others keep their place in their parents. In the space of the bodies; a root without
 * a body stays as at rest.
 */
inline std::vector<FBoneFrame> Posed(const FSkeleton& Skeleton,
	const std::map<std::string, FBoneFrame>& Bodies, const std::map<std::string, double>& Bends = {})
{
	const std::size_t Count = Skeleton.Names.size();
	std::vector<FBoneFrame> Frames(Count);
	for (std::size_t Bone = 0; Bone < Count; ++Bone)
	{
		const int Parent = Skeleton.Parents[Bone];
		const FBoneFrame& Rest = Skeleton.Rest[Bone];
		const auto Given = Bodies.find(Skeleton.Names[Bone]);
		if (Given != Bodies.end())
		{
			Frames[Bone] = Given->second;
		}
		else
		{
			Frames[Bone] = Parent < 0 ? Rest : Frames[Parent] * (Inverse(Skeleton.Rest[Parent]) * Rest);
		}
		const auto Bend = Bends.find(Skeleton.Names[Bone]);
		if (Bend != Bends.end())
		{
			Frames[Bone] = Frames[Bone] * Bent(Bend->second);
		}
	}
	for (std::size_t Bone = 0; Bone < Count; ++Bone)
	{
		const std::string& Name = Skeleton.Names[Bone];
		const int Parent = Skeleton.Parents[Bone];
		if (!IsSwing(Name) || Parent < 0)
		{
			continue;
		}
		const int Limb = FindBone(Skeleton, Name.substr(0, Name.size() - SwingSuffix().size()));
		const int Next = Limb < 0 ? -1 : FirstChild(Skeleton, Limb);
		if (Next >= 0)
		{
			Frames[Bone] = Swing(Skeleton.Rest[Parent], Skeleton.Rest[Limb],
				Skeleton.Rest[Next].Location, Frames[Parent], Frames[Limb]);
		}
	}
	return Frames;
}

/** Frames of all bones in their parents. */
inline std::vector<FBoneFrame> InParents(const FSkeleton& Skeleton, const std::vector<FBoneFrame>& Frames)
{
	std::vector<FBoneFrame> Local(Frames);
	for (std::size_t Bone = 0; Bone < Frames.size(); ++Bone)
	{
		const int Parent = Skeleton.Parents[Bone];
		if (Parent >= 0)
		{
			Local[Bone] = Inverse(Frames[Parent]) * Frames[Bone];
		}
	}
	return Local;
}
} // namespace SpineTrack
