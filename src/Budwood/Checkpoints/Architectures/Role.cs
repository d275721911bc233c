using System.Text;

namespace Budwood.Checkpoints;

/// <summary>What a tensor does in its network; a bias has the role of the layer that it belongs to.</summary>
public enum Role
{
    /// <summary>Outside the known roles.</summary>
    Other,
    /// <summary>Token embedding.</summary>
    Embed,
    /// <summary>Learned positions, absolute or relative.</summary>
    Position,
    /// <summary>Segment (token type) embedding.</summary>
    TokenType,
    /// <summary>Image patches to vectors.</summary>
    Patch,
    /// <summary>The learned class or mask token of an image model.</summary>
    ClassToken,
    Q, K, V, O,
    /// <summary>Query, key and value in one tensor; the axis says how it splits.</summary>
    Qkv,
    CrossQ, CrossK, CrossV, CrossO,
    Gate, Up, Down,
    /// <summary>Gate and up in one tensor; the axis says how it splits.</summary>
    GateUp,
    /// <summary>Scores the experts of a mixture.</summary>
    Router,
    Norm,
    /// <summary>Scores over the vocabulary.</summary>
    Head,
    /// <summary>The dense layer and norm between the last layer and the head of a masked language model.</summary>
    HeadTransform,
    /// <summary>Scores over labels.</summary>
    Classifier,
    Pooler,
    SsmIn, SsmConv, SsmX, SsmDt, SsmA, SsmD, SsmOut,
}

/// <summary>The rows of a receipt's table by role.</summary>
public enum RoleGroup
{
    Embedding, Attention, Mlp, Norm, Head, Other,
}

/// <summary>Names and groups of roles, and a guess from a tensor's name where the family is not known.</summary>
public static class Roles
{
    private static readonly Dictionary<string, Role> s_byText = Enum.GetValues<Role>().ToDictionary(Text, r => r, StringComparer.Ordinal);

    // Longest words first within one part of the name; the last part of the name that says something decides.
    private static readonly (string Word, Role Role)[] s_words =
    [
        ("query_key_value", Role.Qkv), ("qkv_proj", Role.Qkv), ("in_proj_weight", Role.Qkv), ("in_proj_bias", Role.Qkv), ("c_attn", Role.Qkv),
            ("wqkv", Role.Qkv), ("qkv", Role.Qkv),
        ("gate_up_proj", Role.GateUp), ("gate_proj", Role.Gate), ("up_proj", Role.Up), ("down_proj", Role.Down), ("c_fc", Role.Up),
        ("dense_h_to_4h", Role.Up), ("dense_4h_to_h", Role.Down), ("fc1", Role.Up), ("fc2", Role.Down), ("fc_in", Role.Up), ("fc_out", Role.Down),
        ("wi_0", Role.Gate), ("wi_1", Role.Up), ("wi", Role.Up), ("w1", Role.Gate), ("w2", Role.Down), ("w3", Role.Up), ("lin1", Role.Up), ("lin2", Role.Down),
        ("q_proj", Role.Q), ("k_proj", Role.K), ("v_proj", Role.V), ("o_proj", Role.O), ("q_lin", Role.Q), ("k_lin", Role.K), ("v_lin", Role.V),
            ("out_lin", Role.O),
        ("wq", Role.Q), ("wk", Role.K), ("wv", Role.V), ("wo", Role.O), ("query", Role.Q), ("key", Role.K), ("value", Role.V), ("q", Role.Q), ("k", Role.K),
            ("v", Role.V), ("o", Role.O),
        ("router", Role.Router), ("lm_head", Role.Head), ("embed_out", Role.Head), ("classifier", Role.Classifier), ("score", Role.Classifier),
            ("pooler", Role.Pooler),
        ("wte", Role.Embed), ("embed_tokens", Role.Embed), ("embed_in", Role.Embed), ("word_embeddings", Role.Embed), ("tok_embeddings", Role.Embed),
            ("shared", Role.Embed),
        ("wpe", Role.Position), ("position_embeddings", Role.Position), ("embed_positions", Role.Position), ("token_type_embeddings", Role.TokenType),
        ("patch_embeddings", Role.Patch), ("patch_embed", Role.Patch), ("cls_token", Role.ClassToken),
        ("in_proj", Role.SsmIn), ("conv1d", Role.SsmConv), ("x_proj", Role.SsmX), ("dt_proj", Role.SsmDt), ("A_log", Role.SsmA),
    ];

    private static readonly Dictionary<string, Role> s_byWord = s_words.ToDictionary(w => w.Word, w => w.Role, StringComparer.Ordinal);

    /// <summary>The name in family files and tables, such as <c>gate_up</c>.</summary>
    public static string Text(this Role role)
    {
        string name = role.ToString();
        var text = new StringBuilder(name.Length + 2);
        foreach (char c in name)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }

    public static bool TryParse(string text, out Role role) => s_byText.TryGetValue(text, out role);

    /// <summary>The row of a receipt that the role counts in.</summary>
    public static RoleGroup Group(this Role role) => role switch
    {
        Role.Embed or Role.Position or Role.TokenType or Role.Patch or Role.ClassToken => RoleGroup.Embedding,
        Role.Q or Role.K or Role.V or Role.O or Role.Qkv or Role.CrossQ or Role.CrossK or Role.CrossV or Role.CrossO => RoleGroup.Attention,
        Role.Gate or Role.Up or Role.Down or Role.GateUp or Role.Router => RoleGroup.Mlp,
        Role.Norm => RoleGroup.Norm,
        Role.Head or Role.HeadTransform or Role.Classifier or Role.Pooler => RoleGroup.Head,
        _ => RoleGroup.Other,
    };

    public static string Text(this RoleGroup group) => group.ToString().ToLowerInvariant();

    /// <summary>The role that a tensor's name suggests; <see cref="Role.Other"/> when it suggests none.</summary>
    public static Role Guess(string name)
    {
        string[] parts = name.Split('.');
        for (int i = parts.Length - 1; i >= 0; i--)
        {
            string part = parts[i];
            if (LooksLikeNorm(part)) return Role.Norm;
            if (s_byWord.TryGetValue(part, out Role role))
            {
                // T5 calls the last matrix of its feed-forward layer what others call the attention's output.
                return role == Role.O && part == "wo" && name.Contains("DenseReluDense", StringComparison.Ordinal) ? Role.Down : role;
            }
            IEnumerable<string> before = parts.Take(i);
            if (part is "c_proj" or "out_proj" or "dense" or "proj")
            {
                if (before.Any(p => p.Contains("attn", StringComparison.OrdinalIgnoreCase)
                    || p.Contains("attention", StringComparison.OrdinalIgnoreCase))) return Role.O;
                if (before.Any(p => p is "mlp" or "ffn" or "feed_forward" or "output")) return Role.Down;
                if (before.Contains("intermediate")) return Role.Up;
            }
            if (part == "gate" && i > 0) return Role.Router;
            if (part.Contains("embed", StringComparison.OrdinalIgnoreCase) && i == 0) return Role.Embed;
        }
        return Role.Other;
    }

    private static bool LooksLikeNorm(string part) =>
        part.Contains("norm", StringComparison.OrdinalIgnoreCase) || part is "ln_1" or "ln_2" or "ln_f" or "ln" or "ln1" or "ln2" or "bn1" or "bn2" or "bn3"
            || part.StartsWith("ln_", StringComparison.Ordinal);
}
